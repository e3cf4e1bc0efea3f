"""The page of /metrics."""

import http.client
import re

LINE = re.compile(r'[a-z_]+(\{([a-z]+="[^"\\\n]*",?)+\})? -?[0-9.]+')


def scrape(port, path="/metrics", method="GET"):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def values(port):
    """The page as a dict from name and labels to number; each line has the form it must have."""
    status, headers, page = scrape(port)
    assert status == 200
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines), page
    pairs = [line.rsplit(" ", 1) for line in lines]
    assert len(dict(pairs)) == len(pairs)
    return {name: float(number) for name, number in pairs}
