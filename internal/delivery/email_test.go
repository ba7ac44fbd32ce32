package delivery_test

import (
	"strings"
	"testing"

	"plumb/internal/config"
	"plumb/internal/delivery"
)

func TestMailSaysWhatChangedInWordsOfAWS(t *testing.T) {
	sent := everyMessage(t)
	const view = "View the Timeline for this Resource in AWS Config Management Console:\n"
	const console = "https://console.aws.amazon.com/config/home?region=us-east-2#/timeline/AWS::EC2::SecurityGroup/"
	for kind, want := range map[string]string{
		"ConfigurationItemChangeNotification": view + console + "sg-1?time=2016-09-07T18:40:39.853Z\n\n" +
			"New State and Change Record:\n----------------------------\n{\n  \"configurationItemDiff\": {\n",
		"OversizedConfigurationItemChangeNotification":   view + console + "sg-2?time=2016-09-07T18:40:39.853Z\n\nThe full configuration item change notification ",
		"OversizedConfigurationItemChangeDeliveryFailed": view + console + "sg-3?time=2016-09-07T18:40:39.853Z\n\nThe full configuration item change notification ",
		"ComplianceChangeNotification": view + console + "sg-1?time=2016-09-07T18:40:39.853Z\n\n" +
			"New Compliance Change Record:\n----------------------------\n{\n  \"awsAccountId\": \"123456789012\",\n",
		"ConfigRulesEvaluationStarted":           "",
		"ConfigurationSnapshotDeliveryStarted":   "",
		"ConfigurationSnapshotDeliveryCompleted": "",
		"ConfigurationSnapshotDeliveryFailed":    "",
		"ConfigurationHistoryDeliveryCompleted":  "",
	} {
		m, ok := sent[kind]
		if got := delivery.Email(here, m.body, nil); !ok || !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %s", kind, got)
		}
		if want == "" {
			continue
		}
		page := func(k config.ResourceKey) string { return "https://plumb.example.com/" + k.ID }
		if got := delivery.Email(here, m.body, page); !strings.HasPrefix(got, view+"https://plumb.example.com/sg-") || !strings.HasSuffix(got, "\n}\n") {
			t.Errorf("%s: %s", kind, got)
		}
	}
	if got := delivery.Email(here, "no JSON", nil); got != "" {
		t.Errorf("of something else: %s", got)
	}
	odd := strings.Replace(sent["ConfigurationItemChangeNotification"].body, `"resourceId":"sg-1"`, `"resourceId":"a b?c#d\nEvil: x"`, 1)
	if got := delivery.Email(here, odd, nil); !strings.Contains(got, "SecurityGroup/a%20b%3Fc%23d%0AEvil:%20x?time=") {
		t.Errorf("of an odd id: %.300s", got)
	}
}
