package main

import (
	"strings"
	"unicode"
)

// upper makes a name exported: roleARN is RoleARN, s3BucketName is S3BucketName.
func upper(name string) string {
	if name == "" {
		return ""
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// lower is how AWS writes members in messages: FunctionName is functionName.
func lower(name string) string {
	return strings.ToLower(name[:1]) + name[1:]
}

// constant turns an enum's value into the end of a Go name: NON_COMPLIANT is NonCompliant, One_Hour is OneHour,
// AWS::EC2::VPC is AWSEC2VPC, python3.13 is Python313.
func constant(value string) string {
	words := strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	shouting := !strings.Contains(value, "::") && strings.ToUpper(value) == value
	var b strings.Builder
	for _, w := range words {
		if shouting {
			w = strings.ToLower(w)
		}
		b.WriteString(upper(w))
	}
	switch {
	case b.Len() > 0:
		return b.String()
	case value == "*":
		return "Any"
	}
	return "Empty"
}
