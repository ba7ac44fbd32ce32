package query_test

import (
	"encoding/json"
	"testing"

	"plumb/internal/config"
	"plumb/internal/query"
)

const item = `{
	"awsAccountId": "123456789012", "awsRegion": "eu-west-1", "ARN": "arn:x", "resourceType": "A::B::C", "resourceId": "r-1", "resourceName": null,
	"configurationItemVersion": "1.3", "configurationStateId": 1700000000000, "availabilityZone": null,
	"tags": {"env": "prod", "a": "b=c"},
	"relationships": [{"resourceId": "vpc-1", "resourceName": null, "resourceType": "AWS::EC2::VPC", "name": "Is contained in Vpc"},
		{"resourceId": null, "resourceName": "group", "resourceType": "AWS::IAM::Group", "name": "Is attached to Group"}],
	"configuration": {"size": 100, "ratio": 1.5, "on": true, "text": "Zürich", "digits": "80", "list": ["a", "b", 3], "empty": [], "none": null,
		"when": "2024-03-01T10:00:00.000Z",
		"rules": [{"port": 22, "ranges": ["10.0.0.0/8", "192.168.1.0/24"]}, {"port": 443, "ranges": ["0.0.0.0/0"]}],
		"v6": "2001:db8::/32", "ip": "10.1.2.3", "state": "in-use", "groups": ["g-1", "g-2", {"value": "g-3"}],
		"port": {"from": null, "to": 22, "deep": [{"x": null}]}},
	"supplementaryConfiguration": {"Policy": {"text": "x"}}
}`

func formOf(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := config.Decode([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

func TestWhatHoldsForAnItem(t *testing.T) {
	form := formOf(t, item)
	for condition, want := range map[string]bool{
		"accountId = '123456789012'":                               true,
		"accountId = 123456789012":                                 true, // as it is written
		"accountId IN ('1', '123456789012')":                       true,
		"version = '1.3'":                                          true,
		"resourceName = ''":                                        false,
		"NOT resourceName = ''":                                    true,
		"resourceName <> 'x'":                                      true,
		"configurationStateId = '1700000000000'":                   true,
		"configurationStateId > 1699999999999":                     true,
		"configuration.size = 100":                                 true,
		"configuration.size = '100'":                               true,
		"configuration.size = 100.0":                               true,
		"configuration.size > 99.5 AND configuration.size < 100.5": true,
		"configuration.size > '99'":                                true,
		"configuration.size BETWEEN 100 AND 101":                   true,
		"configuration.size BETWEEN 101 AND 102":                   false,
		"configuration.digits = 80":                                true,
		"configuration.digits > 79":                                false, // a text has no order with a number
		"configuration.digits > '79'":                              true,
		"configuration.on = true":                                  true,
		"configuration.on = 'true'":                                true,
		"configuration.on = 1":                                     false,
		"configuration.on > false":                                 false,
		"configuration.text = 'Zürich'":                            true,
		"configuration.text LIKE 'Zür%'":                           true,
		"configuration.text LIKE 'Zür___'":                         true,
		"configuration.text LIKE 'Zür__'":                          false,
		"configuration.text LIKE 'Zür_c%'":                         true,
		"configuration.list = 'b'":                                 true,
		"configuration.list = 3":                                   true,
		"configuration.list = 'c'":                                 false,
		"NOT configuration.list = 'b'":                             false,
		"configuration.list > 'a' AND configuration.list < 'b'":    true,  // by two elements
		"configuration.list BETWEEN 'aa' AND 'az'":                 false, // by one
		"configuration.empty = 'a'":                                false,
		"NOT configuration.none = 'a'":                             true,
		"configuration.rules = 'a'":                                false,
		"configuration.rules.port = 443":                           true,
		"configuration.rules.port = 22 AND configuration.rules.ranges = '0.0.0.0/0'":                          true, // independently
		"configuration.when > '2024-01-01' AND configuration.when < '2024-04-01'":                             true,
		"configuration.ip = '10.1.2.3'":                                                                       true,
		"configuration.ip = '10.1.0.0/16'":                                                                    true,
		"configuration.ip = '10.2.0.0/16'":                                                                    false,
		"configuration.ip BETWEEN '10.0.0.0' AND '10.255.255.255'":                                            true,
		"configuration.ip LIKE '10.1%'":                                                                       true,
		"configuration.ip IN ('x', '10.1.2.0/24')":                                                            true,
		"configuration.rules.ranges = '192.168.1.77'":                                                         true,
		"configuration.v6 = '2001:db8:1::5'":                                                                  true,
		"configuration.v6 = '10.0.0.0/8'":                                                                     false,
		"configuration.v6 > '10.0.0.0/8'":                                                                     false,
		"configuration.ip < '10.1.2.4' AND configuration.ip >= '10.1.2.3' AND configuration.ip <= '10.1.2.3'": true,
		"configuration.ip > '10.1.2.3' OR configuration.ip < '10.1.2.3'":                                      false,
		"tags.key = 'env'":                                       true,
		"tags.value = 'prod'":                                    true,
		"tags.tag = 'env=prod'":                                  true,
		"tags.tag = 'a=b=c'":                                     true,
		"tags.tag LIKE 'env=p%'":                                 true,
		"tags.key = 'a' AND tags.value = 'prod'":                 true, // independently
		"relationships.resourceId = 'vpc-1'":                     true,
		"relationships.resourceName = 'group'":                   true,
		"relationships.relationshipName LIKE 'Is contained in%'": true,
		"supplementaryConfiguration.Policy.text = 'x'":           true,
		"configuration.nowhere.at.all = 'x'":                     false,
		"configuration.size.x = 1":                               false,
		"configuration.state.value = 'in-use'":                   true, // as AWS's schemas name it
		"configuration.state.value <> 'in-use'":                  false,
		"configuration.state.value.value = 'in-use'":             false,
		"configuration.size.value > 99":                          true,
		"configuration.groups.value = 'g-2'":                     true,
		"configuration.groups.value = 'g-3'":                     true,
		"configuration.ip.value = '10.1.0.0/16'":                 true,
		"tags.value = 'in-use'":                                  false,
	} {
		q, err := query.Parse("SELECT resourceId WHERE " + condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if got := query.Holds(q.Where, query.ValuesOf(form)); got != want {
			t.Errorf("%s: got %v", condition, got)
		}
	}
}

func TestWhatIsSelectedOfAnItem(t *testing.T) {
	form := formOf(t, item)
	for selected, want := range map[string]string{
		"*": `{"accountId":"123456789012","arn":"arn:x","awsRegion":"eu-west-1","resourceId":"r-1","resourceType":"A::B::C","version":"1.3"}`,
		"configuration.size, configuration.ratio":              `{"configuration":{"ratio":1.5,"size":100.0}}`,
		"configuration.rules.port":                             `{"configuration":{"rules":[{"port":22.0},{"port":443.0}]}}`,
		"configuration.rules.ranges, configuration.rules.port": `{"configuration":{"rules":[{"port":22.0,"ranges":["10.0.0.0/8","192.168.1.0/24"]},{"port":443.0,"ranges":["0.0.0.0/0"]}]}}`,
		"configuration.none, configuration.nowhere.x":          `{}`,
		"configuration.state.value, configuration.size.x":      `{"configuration":{"state":{"value":"in-use"}}}`,
		"configuration.groups.value":                           `{"configuration":{"groups":[{"value":"g-1"},{"value":"g-2"},{"value":"g-3"}]}}`,
		"configuration.state, configuration.state.value":       `{"configuration":{"state":"in-use"}}`,
		"configuration.port":                                   `{"configuration":{"port":{"deep":[{}],"to":22.0}}}`,
		"configuration.empty":                                  `{"configuration":{"empty":[]}}`,
		"configurationStateId":                                 `{"configurationStateId":"1700000000000"}`,
		"tags":                                                 `{"tags":[{"key":"a","tag":"a=b=c","value":"b=c"},{"key":"env","tag":"env=prod","value":"prod"}]}`,
		"tags.key":                                             `{"tags":[{"key":"a"},{"key":"env"}]}`,
		"relationships.resourceId":                             `{"relationships":[{"resourceId":"vpc-1"}]}`,
		"relationships":                                        `{"relationships":[{"relationshipName":"Is contained in Vpc","resourceId":"vpc-1","resourceType":"AWS::EC2::VPC"},{"relationshipName":"Is attached to Group","resourceName":"group","resourceType":"AWS::IAM::Group"}]}`,
		"supplementaryConfiguration":                           `{"supplementaryConfiguration":{"Policy":{"text":"x"}}}`,
	} {
		q, err := query.Parse("SELECT " + selected)
		if err != nil {
			t.Errorf("%s: %v", selected, err)
			continue
		}
		if got, err := json.Marshal(q.Project(form)); err != nil || string(got) != want {
			t.Errorf("%s\n got %s %v\nwant %s", selected, got, err, want)
		}
	}
}
