"""Transforms a list of templates with AWS's own code, for comparison."""
import json
import sys

from samtranslator.translator.managed_policy_translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform


class Policies(ManagedPolicyLoader):
    def load(self):
        return {}


json.dump([transform(body, {}, Policies(None)) for body in json.load(sys.stdin)], sys.stdout)
