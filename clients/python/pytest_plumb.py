"""Plumb, AWS Config that you run yourself, in tests with pytest.

The fixture ``plumb`` is a server that was started for the run of the tests and
forgets everything after each of them::

    def test_lost_buckets_are_found(plumb):
        plumb.record()
        [rule] = plumb.put("rules/owned")
        plumb.fixture("testdata/lost.json")
        plumb.drain()
        assert plumb.compliance(rule, "AWS::S3::Bucket", "lost") == "NON_COMPLIANT"

It needs the program plumb: the option --plumb, the variable PLUMB_PROGRAM or the
PATH names it. plumb.client("config") is a client of boto3, if that is installed;
nothing else needs it. Tests do not sleep: they drain the server and move its clock.
Without pytest, use ``with Plumb.start() as plumb``.
"""

import datetime
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import urllib.error
import urllib.request

import pytest

__all__ = ["Plumb", "PlumbError"]


class PlumbError(Exception):
    """What the server or the program refused."""


class Plumb:
    """A running server, and the way to talk to it as one account in one region."""

    default_program = None  # what --plumb names

    def __init__(self, url, account="123456789012", region="us-east-1", program="plumb"):
        self.url, self.account, self.region, self.program = url.rstrip("/"), account, region, program
        self._process = self._data = None

    @classmethod
    def start(cls, *arguments, program=None, account="123456789012", region="us-east-1"):
        """Start a server on a free port, with more arguments of "plumb serve" if given."""
        program = program or cls.default_program or os.environ.get("PLUMB_PROGRAM") or shutil.which("plumb")
        if not program:
            raise PlumbError("there is no program plumb: name it by --plumb, PLUMB_PROGRAM or the PATH")
        data = tempfile.mkdtemp(prefix="plumb-")
        process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--data", data, "--account", account, "--region", region,
             "--log-format", "text", "--log-level", "error", *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        said = []
        for line in process.stderr:
            if line.startswith("ready "):
                break
            said.append(line)
        else:
            process.wait()
            shutil.rmtree(data, ignore_errors=True)
            raise PlumbError("plumb did not start: " + "".join(said))
        # A pipe that nobody reads would stop the server once it is full.
        threading.Thread(target=_pass_on, args=(process.stderr,), daemon=True).start()
        self = cls(line.split()[1], account, region, program)
        self._process, self._data = process, data
        return self

    def stop(self):
        """End the server and remove what it kept."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._data, ignore_errors=True)
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    @property
    def environ(self):
        """The environment of programs that reach the server with an AWS SDK or the AWS CLI."""
        return {**os.environ, "AWS_ENDPOINT_URL": self.url, "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region,
                "AWS_ACCESS_KEY_ID": self.account, "AWS_SECRET_ACCESS_KEY": "any", "AWS_SESSION_TOKEN": ""}

    def client(self, service):
        """A client of boto3."""
        import boto3

        return boto3.client(service, endpoint_url=self.url, region_name=self.region, aws_access_key_id=self.account,
                            aws_secret_access_key="any", aws_session_token="")

    def config(self, operation, **members):
        """Call an operation of AWS Config without an SDK."""
        return self._post("/", members, {"X-Amz-Target": "StarlingDoveService." + operation, "Content-Type": "application/x-amz-json-1.1"})

    def record(self):
        """Record every resource, with a recorder, a bucket and a delivery channel, unless a recorder is there."""
        if self.config("DescribeConfigurationRecorders")["ConfigurationRecorders"]:
            return
        bucket = "plumb-test-%s-%s" % (self.account, self.region)
        place = "" if self.region == "us-east-1" else (
            "<CreateBucketConfiguration><LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>" % self.region)
        self._send(urllib.request.Request(self.url + "/" + bucket, place.encode(), method="PUT"))
        self.config("PutConfigurationRecorder", ConfigurationRecorder={
            "name": "default", "roleARN": "arn:aws:iam::%s:role/config" % self.account,
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}})
        self.config("PutDeliveryChannel", DeliveryChannel={"name": "default", "s3BucketName": bucket})
        self.config("StartConfigurationRecorder", ConfigurationRecorderName="default")

    def drain(self):
        """Run all that is due by the server's clock, until nothing is."""
        self._post("/_plumb/drain")

    def reset(self):
        """Forget everything. The clock runs again and shows the machine's time."""
        self._post("/_plumb/reset")

    @property
    def now(self):
        """The server's time."""
        return self._clock({})

    def advance(self, *, days=0, hours=0, minutes=0, seconds=0):
        """Move the server's clock forward. drain() then runs what became due."""
        by = datetime.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._clock({"advance": "%dus" % (by // datetime.timedelta(microseconds=1))})

    def freeze(self, at=None):
        """Stop the server's clock, at a datetime with a timezone if one is given."""
        if at is not None and at.tzinfo is None:
            raise ValueError("at has no timezone")
        return self._clock({"freeze": "now" if at is None else at.isoformat()})

    def unfreeze(self):
        """Let the server's clock run again, from the time that it shows."""
        return self._clock({"run": True})

    def fixture(self, *files):
        """Record items in files, in JSON or YAML and in any spelling that AWS Config uses."""
        return self._run("item", "put", *map(str, files))

    def item(self, item):
        """Record an item that is a dict, as fixture() does of files."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "item.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(item, f)
            return self.fixture(path)

    def remove(self, resource_type, resource_id):
        """Record that a resource is gone."""
        self.config("DeleteResourceConfig", ResourceType=resource_type, ResourceId=resource_id)

    def put(self, *paths, **parameters):
        """Put the rules at paths, with parameters, as "plumb rule put" does, and return their names."""
        given = [word for name, value in parameters.items() for word in ("--parameter", "%s=%s" % (name, value))]
        return self._run("rule", "put", *map(str, paths), *given)

    def evaluate(self, rule):
        """Have a rule evaluate all that is recorded, and drain."""
        self.config("StartConfigRulesEvaluation", ConfigRuleNames=[rule])
        self.drain()

    def verdicts(self, rule):
        """What a rule says of every resource: a list of dicts with resourceType, resourceId, compliance and annotation."""
        return self._post("/_plumb/verdicts", {"account": self.account, "region": self.region, "rule": rule})["verdicts"]

    def compliance(self, rule, resource_type, resource_id):
        """What a rule says of one resource, or None."""
        for verdict in self.verdicts(rule):
            if (verdict["resourceType"], verdict["resourceId"]) == (resource_type, resource_id):
                return verdict["compliance"]
        return None

    def _clock(self, order):
        text = self._post("/_plumb/clock", order)["now"]
        text = re.sub(r"(\.\d{1,6})\d*", lambda m: m[1].ljust(7, "0"), text).replace("Z", "+00:00")
        return datetime.datetime.fromisoformat(text)

    def _run(self, *arguments):
        done = subprocess.run(
            [self.program, *arguments, "--endpoint", self.url, "--account", self.account, "--region", self.region],
            env=self.environ, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise PlumbError(done.stderr.strip())
        return done.stdout.splitlines()

    def _post(self, path, body=None, headers=None):
        text = self._send(urllib.request.Request(
            self.url + path, json.dumps(body or {}).encode(), {"Content-Type": "application/json", **(headers or {})}, method="POST"))
        return json.loads(text or "{}")

    @staticmethod
    def _send(request):
        try:
            # No proxy stands between a test and its server.
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as e:
            text = e.read().decode("utf-8", "replace")
            try:
                said = json.loads(text)
            except ValueError:
                said = {}
            kind = said.get("__type", "").rpartition("#")[2]
            message = said.get("message") or said.get("Message") or said.get("error") or text
            raise PlumbError(": ".join(filter(None, [kind, message]))) from None


def _pass_on(lines):
    import sys

    for line in lines:
        sys.stderr.write(line)


def pytest_addoption(parser):
    parser.getgroup("plumb").addoption("--plumb", metavar="PROGRAM", help="the program plumb (default: PLUMB_PROGRAM, or plumb of the PATH)")


def pytest_configure(config):
    Plumb.default_program = config.getoption("--plumb")


@pytest.fixture(scope="session")
def plumb_server():
    """A server that runs while the tests do, and keeps what they leave."""
    with Plumb.start() as server:
        yield server


@pytest.fixture
def plumb(plumb_server):
    """A server that forgets everything after the test."""
    yield plumb_server
    plumb_server.reset()
