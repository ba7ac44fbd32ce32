package lambda

import (
	"strings"

	"plumb/internal/arn"
	"plumb/internal/config"
	"plumb/internal/model"
	"plumb/internal/model/lambdaapi"
)

// Parse reads the ways in which a function is named: NAME, NAME:QUALIFIER,
// ACCOUNT:function:NAME[:QUALIFIER], or an ARN. qualifier is what the request says
// beside it.
func Parse(p config.Place, name, qualifier string) (Ref, error) {
	r, err := ParseARN(name)
	switch {
	case strings.HasPrefix(name, "arn:"):
		if err != nil {
			return Ref{}, model.ValidationException("1 validation error detected: Value '%s' at 'functionName' failed to satisfy constraint: Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?", name)
		}
	case strings.Contains(name, ":function:"):
		account, rest, _ := strings.Cut(name, ":function:")
		r = Ref{Place: config.Place{Account: account, Region: p.Region}}
		r.Name, r.Qualifier, _ = strings.Cut(rest, ":")
	default:
		r = Ref{Place: p}
		r.Name, r.Qualifier, _ = strings.Cut(strings.TrimPrefix(name, "function:"), ":")
	}
	if r.Qualifier != "" && qualifier != "" && r.Qualifier != qualifier {
		return Ref{}, lambdaapi.InvalidParameterValueException("The derived qualifier from the function name does not match the specified qualifier.")
	}
	if r.Qualifier == "" {
		r.Qualifier = qualifier
	}
	return r, r.reachableFrom(p)
}

// reachableFrom refuses functions of other regions and accounts.
func (r Ref) reachableFrom(p config.Place) error {
	if r.Region != p.Region {
		return lambdaapi.ResourceNotFoundException("Functions from '%s' are not reachable in this region ('%s')", r.Region, p.Region)
	}
	if r.Account != p.Account {
		e := model.AccessDeniedException("User: arn:aws:iam::%s:root is not authorized to perform this operation on resource: %s because no resource-based policy allows the action", p.Account, r.ARN())
		e.Status = 403
		return e
	}
	return nil
}

// ParseARN reads a function's ARN, with or without a qualifier.
func ParseARN(text string) (Ref, error) {
	a, err := arn.Parse(text)
	if err != nil {
		return Ref{}, err
	}
	parts := strings.Split(a.Resource, ":")
	if a.Service != "lambda" || len(parts) < 2 || len(parts) > 3 || parts[0] != "function" || parts[1] == "" {
		return Ref{}, model.ValidationException("%s is not the ARN of a function", text)
	}
	r := Ref{Place: config.Place{Account: a.Account, Region: a.Region}, Name: parts[1]}
	if len(parts) == 3 {
		r.Qualifier = parts[2]
	}
	return r, nil
}

// notFound is the error of a function, version or alias that does not exist.
func notFound(r Ref) error {
	return lambdaapi.ResourceNotFoundException("Function not found: %s", r.ARN())
}
