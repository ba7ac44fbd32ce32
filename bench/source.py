"""Handles a batch, says how many records that were, and now and then fails."""
import os, random


def handler(event, context):
    if random.random() < float(os.environ.get("FAILS", "0")):
        raise Exception("now and then")
    print("HANDLED %d" % len(event["Records"]))
