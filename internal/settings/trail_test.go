package settings

import "testing"

func TestWhereRecordsOfCloudTrailAreIsChecked(t *testing.T) {
	for trail, good := range map[string]bool{
		"": true, "https://sqs.eu-west-1.amazonaws.com/123456789012/trail": true, "http://127.0.0.1:5000/123456789012/trail": true,
		"s3://trail": true, "s3://trail/a/b": true, "s3://": false, "s3://Trail": false, "s3://trail//": false, "trail": false,
		"https://sqs.eu-west-1.amazonaws.com/trail": false, "sqs://a/b/c": false,
	} {
		if err := checkTrail("", trail); (err == nil) != good {
			t.Errorf("%q: %v", trail, err)
		}
	}
}
