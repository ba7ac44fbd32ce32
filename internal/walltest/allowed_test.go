package walltest

import (
	"fmt"
	"strings"
)

// allowed says why a call of Bob's that names Alice's account may be answered.
func allowed(c call) string {
	switch fmt.Sprint(c.service, " ", c.operation) {
	case "config DeleteAggregationAuthorization", "config DeletePendingAggregationRequest":
		return "Bob takes back what his own account authorized, or refuses what it was asked for; there need not be any"
	case "config PutAggregationAuthorization":
		return "Bob lets Alice see what is his"
	case "config PutConfigurationAggregator":
		return "Bob asks to see what is Alice's, and sees nothing until she authorizes him"
	case "iam CreateRole", "iam UpdateAssumeRolePolicy":
		return "Bob's role may trust another account"
	case "events PutTargets":
		return "a rule may name another account's target, whose policy is asked at each delivery"
	case "sns Publish", "sns AddPermission", "sqs AddPermission", "lambda AddPermission":
		if !strings.Contains(text(c.in), ":"+alice+":") {
			return "Bob lets Alice use what is his"
		}
	case "events PutPermission":
		return "what the policy of Bob's bus says is Bob's"
	case "cloudformation DeleteStack":
		return "a stack that is not there is deleted, as at AWS"
	case "cognito-identity GetId", "cognito-identity GetCredentialsForIdentity":
		return "an identity pool that lets unauthenticated identities in is open to who knows its id"
	}
	return ""
}

// mayAdd says why Bob's calls add rows to a table that name Alice's account.
func mayAdd(table string) string {
	switch table {
	case "temporary_credentials":
		return "credentials of identities of an identity pool that lets everybody in"
	case "aggregation_authorization", "aggregation_source":
		return "they say whom Bob authorizes and whom he asks; they are his"
	}
	return ""
}

// mayTell says why Bob is told that something of Alice's is there.
func mayTell(c call, there, nowhere string) string {
	switch fmt.Sprint(c.service, " ", c.operation) {
	case "cognito-identity GetId", "cognito-identity GetCredentialsForIdentity":
		return "open to who knows an id"
	case "sns ConfirmSubscription":
		return "it needs no account at AWS: who has a token of the topic confirms"
	}
	switch in := text(c.in); {
	case public(c):
		return "AWS's own"
	case strings.Contains(in, `Token":"`), strings.Contains(in, `token":"`):
		return "a changed token is none, and a token of a page says only where a list of Bob's goes on"
	}
	return ""
}

// public says whether a call is about what AWS itself has, which everybody reads.
func public(c call) bool {
	in := text(c.in)
	if c.operation == "ListPolicies" || c.operation == "GetAccessKeyInfo" {
		return true // AWS tells everybody whose an access key is
	}
	return strings.Contains(in, "arn:aws:iam::aws:") || strings.Contains(in, "AWSConfigRemediation-")
}
