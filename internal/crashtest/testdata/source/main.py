import base64, gzip, json, os, time, urllib.request

endpoint = os.environ["AWS_ENDPOINT_URL"]


def tell(source, numbers):
    message = json.dumps({"source": source, "numbers": numbers, "at": time.time()})
    urllib.request.urlopen(urllib.request.Request(endpoint, json.dumps({"QueueUrl": endpoint + "/123456789012/got", "MessageBody": message}).encode(), {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage",
        "Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0"})).read()


def handler(event, context):
    if "records" in event:  # of Firehose
        return {"records": [{"recordId": r["recordId"], "result": "Ok", "data": r["data"]} for r in event["records"]]}
    if "n" in event:  # of IoT
        return tell("iot", [event["n"]])
    if "awslogs" in event:
        batch = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
        return tell("logs", [int(e["message"]) for e in batch["logEvents"]])
    records = event["Records"]
    if "dynamodb" in records[0]:
        return tell("dynamodb", [int(r["dynamodb"]["Keys"]["pk"]["N"]) for r in records])
    if "kinesis" in records[0]:
        shard = records[0]["eventID"].split(":")[0]
        return tell(shard, [int(base64.b64decode(r["kinesis"]["data"])) for r in records])
    tell("sqs", [int(r["body"]) for r in records])
