#!/usr/bin/env bash
# Every document keeps to tests/lint/documents.py: widths, sentences, links, words.
set -euo pipefail
exec "$BUILD/check/venv/bin/python" "$SOURCE/tests/lint/documents.py" "$SOURCE"
