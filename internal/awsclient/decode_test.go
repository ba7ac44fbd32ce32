package awsclient_test

import (
	"net/http"
	"reflect"
	"strings"
	"testing"

	"plumb/internal/awsclient"
	"plumb/models"
)

func TestAnswersAreReadByTheirShape(t *testing.T) {
	m := awsclient.NewModels(models.FS)
	for _, c := range []struct {
		name, service, operation, body string
		header                         http.Header
		want                           map[string]any
	}{
		{
			"ec2 tells an empty list from none and keeps kinds", "ec2", "DescribeVolumes",
			`<DescribeVolumesResponse><volumeSet><item><size>8</size><encrypted>false</encrypted><tagSet/>` +
				`<createTime>2026-01-02T03:04:05.6Z</createTime><unknown>1</unknown></item></volumeSet></DescribeVolumesResponse>`,
			nil,
			map[string]any{"Volumes": []any{map[string]any{
				"Size": int64(8), "Encrypted": false, "Tags": []any{}, "CreateTime": "2026-01-02T03:04:05.600Z",
			}}},
		},
		{
			"query unwraps its result", "iam", "ListGroups",
			`<ListGroupsResponse><ListGroupsResult><Groups><member><GroupName>a</GroupName></member></Groups>` +
				`<IsTruncated>false</IsTruncated></ListGroupsResult></ListGroupsResponse>`,
			nil, map[string]any{"Groups": []any{map[string]any{"GroupName": "a"}}, "IsTruncated": false},
		},
		{
			"json times are seconds and null is nothing", "dynamodb", "DescribeTable",
			`{"Table":{"CreationDateTime":1.5,"ItemCount":3,"TableName":null,"TableSizeBytes":5.0,"New":1}}`,
			nil, map[string]any{"Table": map[string]any{
				"CreationDateTime": "1970-01-01T00:00:01.500Z", "ItemCount": int64(3), "TableSizeBytes": int64(5),
			}},
		},
		{
			"s3 repeats flat elements and has attributes", "s3", "GetBucketAcl",
			`<AccessControlPolicy><AccessControlList><Grant><Grantee xmlns:xsi="x" xsi:type="Group"><URI>u</URI></Grantee>` +
				`<Permission>READ</Permission></Grant></AccessControlList></AccessControlPolicy>`,
			nil, map[string]any{"Grants": []any{map[string]any{
				"Grantee": map[string]any{"Type": "Group", "URI": "u"}, "Permission": "READ",
			}}},
		},
		{
			"a text payload is the member", "s3", "GetBucketPolicy", `{"Version":1}`, nil,
			map[string]any{"Policy": `{"Version":1}`},
		},
		{
			"a location is the root element", "s3", "GetBucketLocation",
			`<LocationConstraint xmlns="x">eu-west-1</LocationConstraint>`, nil,
			map[string]any{"LocationConstraint": "eu-west-1"},
		},
		{
			"headers are members", "s3", "HeadBucket", "", http.Header{"X-Amz-Bucket-Region": {"eu-west-1"}},
			map[string]any{"BucketRegion": "eu-west-1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := m.Decode(c.service, c.operation, 200, c.header, []byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("%#v, want %#v", got, c.want)
			}
		})
	}
}

func TestHalfAnAnswerIsAnError(t *testing.T) {
	m := awsclient.NewModels(models.FS)
	for _, c := range []struct{ service, operation, body, says string }{
		{"ec2", "DescribeVpcs", `<DescribeVpcsResponse><vpcSet><item><vpcId>vpc-1</vpcId></item>`, "whole XML"},
		{"ec2", "DescribeVpcs", ``, "whole XML"},
		{"ec2", "DescribeVpcs", `<html></html>`, "<html>"},
		{"iam", "ListUsers", `<ListUsersResponse/>`, "no <ListUsersResult>"},
		{"dynamodb", "ListTables", `{"TableNames":["a"`, "whole JSON"},
		{"dynamodb", "ListTables", ``, "empty"},
		{"dynamodb", "ListTables", `{"TableNames":"a"}`, "has a list"},
		{"dynamodb", "ListTables", `{"TableNames":[5]}`, "has a string"},
		{"s3", "ListBuckets", `<Error><Code>InternalError</Code></Error>`, "InternalError"},
		{"ec2", "DescribeVolumes", `<DescribeVolumesResponse><volumeSet><item><size>big</size></item></volumeSet></DescribeVolumesResponse>`, "size"},
	} {
		_, err := m.Decode(c.service, c.operation, 200, nil, []byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v, want %q", c.operation, c.body, err, c.says)
		}
	}
}

func FuzzDecode(f *testing.F) {
	m := awsclient.NewModels(models.FS)
	f.Add([]byte(`<DescribeInstancesResponse><reservationSet><item/></reservationSet></DescribeInstancesResponse>`))
	f.Add([]byte(`{"Table":{"KeySchema":[{}]}}`))
	f.Add([]byte(`<NotificationConfiguration><QueueConfiguration><Event>x</Event></QueueConfiguration></NotificationConfiguration>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, op := range [][2]string{
			{"ec2", "DescribeInstances"}, {"iam", "GetAccountAuthorizationDetails"}, {"dynamodb", "DescribeTable"},
			{"s3", "GetBucketNotificationConfiguration"}, {"lambda", "GetFunction"},
		} {
			for _, status := range []int{200, 400} {
				_, _ = m.Decode(op[0], op[1], status, nil, body)
			}
		}
	})
}
