package trail

import "testing"

func TestAMessageSaysWhatItsFormSays(t *testing.T) {
	const key = "AWSLogs/123456789012/CloudTrail/us-east-1/2026/11/30/a.json.gz"
	for body, want := range map[string][2]int{ // records and files
		``: {}, `[]`: {}, `{"Records":null}`: {}, `"x"`: {},
		`{"eventID":"e","eventName":"X"}`:                                                     {1, 0},
		`{"Records":[{"eventID":"e"},{"eventID":"f"}]}`:                                       {2, 0},
		`{"detail-type":"AWS API Call via CloudTrail","detail":{}}`:                           {1, 0},
		`{"detail-type":"AWS Console Sign In via CloudTrail","detail":{"eventID":"e"}}`:       {},
		`{"Type":"Notification","Message":"{\"eventID\":\"e\"}"}`:                             {1, 0},
		`{"s3Bucket":"b","s3ObjectKey":["` + key + `","other.txt"]}`:                          {0, 1},
		`{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"` + key + `"}}}]}`:         {0, 1},
		`{"Records":[{"s3":{"bucket":{"name":"b"},"object":{"key":"o/CloudTrail-Digest"}}}]}`: {},
	} {
		m := parseMessage([]byte(body))
		if got := [2]int{len(m.records), len(m.files)}; got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

func TestTheRegionOfAQueueIsThatOfItsURL(t *testing.T) {
	s := Source{Address: "https://sqs.eu-west-1.amazonaws.com/123456789012/trail"}
	if s.Region = "us-east-1"; s.region() != "eu-west-1" {
		t.Errorf("%s", s.region())
	}
	if s.Address = "http://127.0.0.1:5000/123456789012/trail"; s.region() != "us-east-1" {
		t.Errorf("%s", s.region())
	}
}
