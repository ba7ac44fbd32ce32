package walltest

import (
	"slices"
	"strings"

	"plumb/internal/model"
)

// nouns are what an account's calls named and were answered: texts, by where they stood.
type nouns struct {
	at  map[string][]string // the latest last; SERVICE.MEMBER and SERVICE:SHAPE in one spelling
	all map[string]bool
	ids map[string]bool // parts of texts that look as if they were made for the account
}

func newNouns() *nouns { return &nouns{map[string][]string{}, map[string]bool{}, map[string]bool{}} }

// spelled is a name without case and marks: restApiId, RestApiID and rest-api-id are one.
func spelled(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// read takes all texts of an input or answer.
func (n *nouns) read(service, operation string, ref *model.Ref, v any) {
	if ref != nil {
		n.value(service, "", ownerOf(operation), ref, v)
	}
}

// ownerOf is what an operation makes, whose id its answer may call "id" alone.
func ownerOf(operation string) string {
	for _, verb := range []string{"Create", "Get", "Describe", "Put"} {
		if what, ok := strings.CutPrefix(operation, verb); ok {
			return what
		}
	}
	return operation
}

func (n *nouns) value(service, member, owner string, ref *model.Ref, v any) {
	switch s := ref.Shape; s.Type {
	case "structure":
		fields, _ := v.(map[string]any)
		for _, m := range s.Members {
			if fields[m.Name] == nil {
				continue
			}
			inner := owner
			if m.Shape.Type == "structure" {
				inner = m.Name
			}
			n.value(service, m.Name, inner, &m.Ref, fields[m.Name])
		}
	case "list":
		one := strings.TrimSuffix(member, "s")
		if spelled(one) != "item" && s.Member.Shape.Type == "structure" {
			owner = one
		}
		for _, e := range list(v) {
			n.value(service, one, owner, s.Member, e)
		}
	case "map":
		fields, _ := v.(map[string]any)
		for _, k := range model.Keys(fields) {
			n.value(service, k, owner, s.Value, fields[k])
		}
	case "string":
		if text, ok := v.(string); ok && text != "" && len(text) < 2048 {
			n.add(service, member, owner, s.Name, text)
		}
	}
}

func list(v any) []any {
	switch l := v.(type) {
	case []any:
		return l
	case []string:
		out := make([]any, len(l))
		for i := range l {
			out[i] = l[i]
		}
		return out
	}
	return nil
}

func (n *nouns) add(service, member, owner, shape, text string) {
	n.all[text] = true
	if strings.Contains(text, secret) {
		return
	}
	for _, part := range token.FindAllString(text, -1) {
		if word := part == strings.ToUpper(part) && strings.Contains(part, "_"); !word && part != "us-east-1" && digits.MatchString(part) && letters.MatchString(part) {
			n.ids[part] = true
		}
	}
	places := []string{service + "." + spelled(member), service + ":" + shape, "." + spelled(member)}
	switch spelled(member) {
	case "id", "arn", "name":
		places = append(places, service+"."+spelled(owner+member), service+"."+spelled(shapeless(owner)+member))
	}
	if strings.HasPrefix(text, "arn:") {
		places = append(places, service+".ARN")
	}
	for _, place := range places {
		n.at[place] = append(slices.DeleteFunc(n.at[place], func(s string) bool { return s == text }), text)
	}
}

// shapeless is the noun of a list of them: "rest apis" have a restApiId.
func shapeless(owner string) string { return strings.TrimSuffix(owner, "s") }

// other names of members that hold the same thing.
var aliases = map[string]string{
	"apigateway.parentid": "apigateway.resourceid", "apigateway.resourcearn": "apigateway.arn",
	"organizations.parentid": "organizations.rootid", "organizations.sourceparentid": "organizations.rootid", "organizations.destinationparentid": "organizations.organizationalunitid",
	"organizations.childid": "organizations.accountid", "organizations.resourceid": "organizations.accountid",
	"cloudfront.distributionid": "cloudfront.id", "cloudfront.resource": "cloudfront.arn", "lambda.resource": "lambda.functionarn",
	"logs.resourcearn": "logs.arn", "sns.resourcearn": "sns.topicarn", "events.resourcearn": "events.rulearn", "scheduler.resourcearn": "scheduler.schedulegrouparn",
	"config.resourcearn": "config.configrulearn", "iam.policysourcearn": "iam.arn", "iam.permissionsboundary": "iam.policyarn", "sts.rolearn": "iam.arn",
	"apigatewayv2.resourcearn": "apigatewayv2.arn", "organizations.target": "organizations.accountid",
}

// of returns what the account has that fits a member.
func (n *nouns) of(service, member, shape string) []string {
	at := service + "." + spelled(member)
	for _, place := range []string{at, aliases[at], service + ":" + shape, service + "." + strings.TrimSuffix(spelled(member), "s")} {
		if place != "" && len(n.at[place]) > 0 {
			return n.at[place]
		}
	}
	if s := spelled(member); strings.HasSuffix(s, "arn") {
		if len(n.at["."+s]) > 0 {
			return n.at["."+s]
		}
		return n.at[service+".ARN"]
	}
	return nil
}

// latest is the last text that had a name.
func (n *nouns) latest(service, member string) string {
	if all := n.of(service, member, ""); len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}
