// Package arn reads and writes Amazon Resource Names:
// arn:partition:service:region:account:resource.
//
// It checks form, not existence.
package arn

import (
	"fmt"
	"strings"
)

// An ARN is the six parts of a name, without the leading "arn".
type ARN struct {
	Partition, Service, Region, Account, Resource string
}

// Parse splits s into its parts. Service and resource must not be empty and the
// account, where there is one, is twelve digits or "aws".
func Parse(s string) (ARN, error) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || !strings.HasPrefix(p[1], "aws") || p[2] == "" || p[5] == "" {
		return ARN{}, fmt.Errorf("%q is not an ARN: want arn:aws:service:region:account:resource", s)
	}
	a := ARN{p[1], p[2], p[3], p[4], p[5]}
	if a.Account != "" && a.Account != "aws" && !IsAccount(a.Account) {
		return ARN{}, fmt.Errorf("%q is not an ARN: account %q is not twelve digits", s, a.Account)
	}
	return a, nil
}

// Foreign reports whether a text is the ARN of what another account has.
func Foreign(text, account string) bool {
	a, err := Parse(text)
	return err == nil && IsAccount(a.Account) && a.Account != account
}

// IsAccount reports whether s is an account id: twelve digits.
func IsAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// New returns the ARN of a resource in the partition of its region.
func New(service, region, account, resource string) ARN {
	return ARN{Partition(region), service, region, account, resource}
}

// String joins the parts.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// partitions are AWS's, each with the prefix of its regions.
var partitions = []struct{ name, prefix string }{
	{"aws", ""}, {"aws-cn", "cn-"}, {"aws-us-gov", "us-gov-"}, {"aws-iso", "us-iso-"}, {"aws-iso-b", "us-isob-"},
	{"aws-iso-e", "eu-isoe-"}, {"aws-iso-f", "us-isof-"}, {"aws-eusc", "eusc-"},
}

// Partitions returns the names of all partitions.
func Partitions() []string {
	names := make([]string, len(partitions))
	for i, p := range partitions {
		names[i] = p.name
	}
	return names
}

// Partition returns the partition of a region.
func Partition(region string) string {
	for _, p := range partitions[1:] {
		if strings.HasPrefix(region, p.prefix) {
			return p.name
		}
	}
	return partitions[0].name
}

// Domain is where AWS's endpoints of a region are.
func Domain(region string) string {
	if Partition(region) == "aws-cn" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}
