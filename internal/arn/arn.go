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

// Partition returns the partition that a region belongs to: aws, aws-cn,
// aws-us-gov; aws for regions it does not know.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	default:
		return "aws"
	}
}
