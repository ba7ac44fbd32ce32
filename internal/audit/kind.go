package audit

import (
	"slices"
	"strings"
)

// What is kept, as the setting audit says it.
const (
	Off        = "off"
	Management = "management" // calls that change resources, and refusals of any call
	All        = "all"        // data events that change something, too
)

// reading begins the names of operations that change nothing.
var reading = []string{
	"Get", "List", "Describe", "Head", "BatchGet", "Select", "Search", "Lookup", "Simulate", "Filter", "Test", "Validate", "Estimate", "Check",
	"Receive", "Detect", "Count", "Query", "Scan", "GitPull",
}

// changing are those that such a name does not say it of.
var changing = map[string][]string{
	"sts": {"GetSessionToken", "GetFederationToken"}, // somebody gets credentials
	"cognito-identity": { // and becomes somebody
		"GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity",
	},
	"apigateway":     {"TestInvokeMethod", "TestInvokeAuthorizer"}, // a function is invoked
	"cloudformation": {"DetectStackDrift", "DetectStackResourceDrift", "DetectStackSetDrift"},
}

// data are CloudTrail's data events, and what rules say of resources, which comes as
// often.
var data = map[string][]string{
	"cognito-identity": {"GetId", "GetCredentialsForIdentity", "GetOpenIdToken", "GetOpenIdTokenForDeveloperIdentity", "UnlinkIdentity"},
	"cognito-sync":     {"UpdateRecords"},
	"config":           {"PutEvaluations", "PutExternalEvaluation"},
	"events":           {"PutEvents"},
	"execute-api":      {"Invoke"},
	"firehose":         {"PutRecord", "PutRecordBatch"},
	"iotdata":          {"Publish"},
	"lex":              {"RecognizeText", "PostText", "PostContent", "PutSession", "DeleteSession"},
	"lambda":           {"Invoke", "InvokeAsync", "InvokeWithResponseStream", "InvokeFunctionUrl"},
	"logs":             {"PutLogEvents"},
	"s3": {
		"GetObject", "HeadObject", "PutObject", "CopyObject", "DeleteObject", "DeleteObjects", "PostObject", "RestoreObject", "SelectObjectContent",
		"GetObjectAcl", "PutObjectAcl", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging", "GetObjectAttributes", "PutObjectRetention",
		"PutObjectLegalHold", "CreateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload",
		"ListParts", "ListObjects", "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads",
	},
	"sns": {"Publish", "PublishBatch"},
	"sqs": {
		"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch", "ChangeMessageVisibility",
		"ChangeMessageVisibilityBatch",
	},
}

// IsReading reports whether an operation changes nothing.
func IsReading(service, operation string) bool {
	if slices.Contains(changing[service], operation) {
		return false
	}
	if method, _, ok := strings.Cut(operation, " "); ok { // of REST, where nobody knows the operation
		return method == "GET" || method == "HEAD" || method == "OPTIONS"
	}
	for _, prefix := range reading {
		if rest, ok := strings.CutPrefix(operation, prefix); ok && (rest == "" || rest[0] < 'a' || rest[0] > 'z') {
			return true
		}
	}
	return false
}

// IsData reports whether an operation is about what a resource holds.
func IsData(service, operation string) bool { return slices.Contains(data[service], operation) }

// refusals are the codes of answers to those who may not do what they ask.
var refusals = []string{
	"AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "MissingAuthenticationToken", "UnrecognizedClientException",
	"InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
	"IncompleteSignatureException", "ExpiredToken", "ExpiredTokenException", "RequestTimeTooSkewed", "RequestExpired", "InvalidToken",
}

// IsRefusal reports whether an answer says that the caller may not do what it asks.
func IsRefusal(code string, status int) bool {
	return status == 401 || status == 403 || slices.Contains(refusals, code)
}

// Keeps reports whether a call is one that is kept.
func (l *Log) Keeps(service, operation, code string, status int) bool {
	switch {
	case l == nil || l.o.Level == Off:
		return false
	case IsRefusal(code, status):
		return true
	case IsReading(service, operation):
		return false
	}
	return l.o.Level == All || !IsData(service, operation)
}
