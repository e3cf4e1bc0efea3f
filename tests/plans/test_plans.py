"""What auditors ask is answered from the indexes that are there for it, on the data and by the questions of `run`.

So small an audit may well be read as a whole. What is pinned is which indexes serve a question best, and that it needs no reading
of a month: so that is forbidden, and happens where there is no other way. What is chosen of ten million events, `run` prints.
"""

import json
import re
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
READ, SECRET = {"event_read"}, {"event_secret"}

# By question, the indexes of events and seals.
USED = {
    "who read this secret in the last 30 days: the one that is read most": READ,
    "who read this secret in the last 30 days: one that is looked at, and never read": READ,
    "who used this key in the last 30 days": SECRET,
    "the last read of this secret": READ,
    "the last read of each secret": READ,
    "secrets not read for 30 days, or never": READ,
    "secrets not read for 90 days, or never": READ,
    "what a principal did in the last day": {"event_api_key", "event_principal"},
    "what an API key did in the last day": {"event_api_key"},
    "refusals of the last day": {"event_refusal"},
    "API keys and when each was used": {"event_api_key"},
    "API keys not used for 90 days": {"event_api_key"},
    "API keys that expire": set(),
    "who can read this secret": set(),
    "which secrets a principal can read": set(),
    "who can use this key": set(),
    "which keys a principal can use": set(),
    "versions": set(),
    "versions that are old": set(),
    "versions without protection": set(),
    "versions that expire": set(),
    "changes after a cursor": {"event_change"},
    "changes of the last day": {"event_change", "event_at"},
    "the end of the changes": set(),
    "whatever came from an address in the last day": {"event_at"},
    "a page of the events of an organization, of 30 days": {"event_organization"},
    "the oldest events of an organization, of 30 days": {"event_organization"},
    "a page of the events of a secret, of 30 days": READ | SECRET,
    "the oldest events of a secret, of 30 days": READ | SECRET,
    "a page of the events of a principal, of 30 days": {"event_api_key"},
    "the oldest events of a principal, of 30 days": {"event_api_key"},
    "how far the seals are": {
        "event_sealed",
        "event_change",
        "seal_pkey",
        "seal_unsigned",
        "seal_open",
    },
}

# One of its indexes is enough: which one depends on how much of the month the last day is.
EITHER = {"changes of the last day"}


def psql(database, file, *arguments, **settings):
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    done = subprocess.run(
        ["psql", "-Xqv", "ON_ERROR_STOP=1", *arguments, "-f", HERE / file],
        env={**database.environment(), "PGOPTIONS": options},
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr[-500:]
    return done.stderr


def nodes(plan):
    """Those of a plan that have run, without what is never looked into."""
    if plan["Actual Loops"]:
        yield plan
        for child in plan.get("Plans", []):
            yield from nodes(child)


@pytest.fixture(scope="module")
def loaded(new_database):
    database = new_database()
    psql(database, "load.sql", "-v", "events=100000")
    return database


@pytest.fixture(scope="module")
def plans(loaded):
    """By question, the nodes of all plans of its answer.

    Without its index a question that takes 10 ms may take half an hour, which is long enough to know.
    """
    settings = {
        "auto_explain.log_format": "json",
        "enable_seqscan": "off",
        "statement_timeout": "60s",
    }
    said = psql(loaded, "ask.sql", **settings)
    _, *parts = re.split(r"^== (.*)\n", said, flags=re.MULTILINE)
    decode = json.JSONDecoder().raw_decode
    return {
        question: [
            node
            for start in re.finditer(r"plan:\n(?={)", part)
            for node in nodes(decode(part, start.end())[0]["Plan"])
        ]
        for question, part in zip(parts[::2], parts[1::2], strict=True)
    }


@pytest.fixture(scope="module")
def index_of(loaded):
    """The indexes of seals, and of events by the names of their parts in the months.

    Without the months that are to come, or have begun today: of what is next to nothing, one index is as good as another.
    """
    return dict(
        loaded.query(
            """SELECT c.relname, coalesce(p.relname, c.relname)
                 FROM pg_index x JOIN pg_class t ON t.oid = x.indrelid JOIN pg_class c ON c.oid = x.indexrelid
                 LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
                WHERE t.relnamespace = 'audit'::regnamespace AND (t.relispartition OR t.relname = 'seal') AND t.reltuples > 500"""
        )
    )


def test_every_question_is_here(plans):
    assert list(plans) == list(USED)


@pytest.mark.parametrize("question", USED)
def test_it_is_answered_from_its_indexes(plans, index_of, question):
    used = {index_of.get(node.get("Index Name")) for node in plans[question]} - {None}
    assert used and used <= USED[question] if question in EITHER else used == USED[question]


@pytest.mark.parametrize("question", USED)
def test_it_reads_no_month_as_a_whole(plans, question):
    read = [node["Relation Name"] for node in plans[question] if node["Node Type"] == "Seq Scan"]
    assert not [table for table in read if re.fullmatch(r"event_\d{4}_\d\d", table)]
