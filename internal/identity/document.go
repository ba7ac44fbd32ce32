package identity

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"plumb/internal/model/iamapi"
	"plumb/internal/policy"
)

func malformed(format string, args ...any) error {
	return iamapi.MalformedPolicyDocumentException(format, args...)
}

// CheckDocument returns MalformedPolicyDocument for what is not a policy of an
// identity.
func CheckDocument(text string) error {
	d, err := parse(text)
	if err != nil {
		return err
	}
	for _, s := range d.Statements {
		if s.Principals != nil || s.NotPrincipals != nil {
			return malformed("Policy document should not specify a principal.")
		}
		if err := checkActions(s); err != nil {
			return err
		}
		if err := checkResources(s); err != nil {
			return err
		}
	}
	return nil
}

// parse reads a document and checks what is true of every kind.
func parse(text string) (policy.Document, error) {
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		return policy.Document{}, malformed("The policy is not in the valid JSON format.")
	}
	if err := unique(text); err != nil {
		return policy.Document{}, malformed("Syntax errors in policy.")
	}
	d, err := policy.Parse(text)
	var effect policy.EffectError
	switch {
	case errors.As(err, &effect):
		return d, malformed("Invalid effect: %s", string(effect))
	case err != nil:
		return d, malformed("Syntax errors in policy.")
	case d.Version != "" && d.Version != "2012-10-17" && d.Version != "2008-10-17":
		return d, malformed("The policy must contain a valid version string")
	case len(d.Statements) == 0:
		return d, malformed("Syntax errors in policy.")
	}
	if err := members(text); err != nil {
		return d, err
	}
	return d, checkIDs(d)
}

// unique checks that no object of a JSON text names a member twice.
func unique(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := uniqueValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the policy")
	}
	return nil
}

// maxDepth is how deep a policy's values may lie. None of AWS's lies deeper.
const maxDepth = 12

func uniqueValue(d *json.Decoder, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	delim, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return errors.New("it lies too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if seen[name.(string)] { // a member's name is text
				return fmt.Errorf("%s is there twice", name)
			}
			seen[name.(string)] = true
		}
		if err := uniqueValue(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

var (
	documentMembers  = map[string]bool{"Version": true, "Id": true, "Statement": true}
	statementMembers = map[string]bool{
		"Sid": true, "Effect": true, "Principal": true, "NotPrincipal": true, "Action": true, "NotAction": true,
		"Resource": true, "NotResource": true, "Condition": true,
	}
)

// members checks that a document has no element that the language lacks, and that
// the elements are texts.
func members(text string) error {
	var document map[string]any
	if json.Unmarshal([]byte(text), &document) != nil {
		return malformed("Syntax errors in policy.")
	}
	for name := range document {
		if !documentMembers[name] {
			return malformed("Syntax errors in policy.")
		}
	}
	list, ok := document["Statement"].([]any)
	if !ok {
		list = []any{document["Statement"]}
	}
	for _, raw := range list {
		statement, _ := raw.(map[string]any) // else policy.Parse has refused it
		for name, v := range statement {
			if !statementMembers[name] {
				return malformed("Syntax errors in policy.")
			}
			if name != "Condition" && !isText(v) {
				return malformed("Syntax errors in policy.")
			}
		}
		if _, both := statement["NotAction"]; both && statement["Action"] != nil {
			return malformed("Statement/Action cannot be used with Statement/NotAction.")
		}
		if _, both := statement["NotResource"]; both && statement["Resource"] != nil {
			return malformed("Statement/Resource cannot be used with Statement/NotResource.")
		}
	}
	return nil
}

// isText reports whether a value is text, a list of texts, or an object of these.
func isText(v any) bool {
	switch v := v.(type) {
	case string:
		return true
	case []any:
		for _, e := range v {
			if _, ok := e.(string); !ok {
				return false
			}
		}
		return true
	case map[string]any:
		for _, e := range v {
			if _, object := e.(map[string]any); object || !isText(e) {
				return false
			}
		}
		return true
	}
	return false
}

var validSid = regexp.MustCompile(`^[0-9A-Za-z]*$`)

func checkIDs(d policy.Document) error {
	seen := map[string]bool{}
	for _, s := range d.Statements {
		if !validSid.MatchString(s.Sid) {
			return malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
		}
		if s.Sid != "" && seen[s.Sid] {
			return malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.Sid] = true
		for _, c := range s.Conditions {
			if !c.Known() {
				return malformed("Invalid Condition type : %s.", c.Operator)
			}
		}
	}
	return nil
}

var validVendor = regexp.MustCompile(`^[a-zA-Z0-9-.]+$`)

func checkActions(s policy.Statement) error {
	actions := append(append([]string{}, s.Actions...), s.NotActions...)
	if len(actions) == 0 {
		return malformed("Policy statement must contain actions.")
	}
	for _, a := range actions {
		if a == "*" {
			continue
		}
		vendor, name, found := strings.Cut(a, ":")
		if !found || name == "" || vendor == "" {
			return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
		if !validVendor.MatchString(vendor) {
			return malformed("Vendor %s is not valid", vendor)
		}
	}
	return nil
}

func checkResources(s policy.Statement) error {
	resources := append(append([]string{}, s.Resources...), s.NotResources...)
	if len(resources) == 0 {
		return malformed("Policy statement must contain resources.")
	}
	for _, r := range resources {
		if r == "*" {
			continue
		}
		parts := strings.SplitN(r, ":", 6)
		if parts[0] != "arn" && !strings.HasPrefix(r, "*") && !strings.HasPrefix(r, "arn*") {
			return malformed("Resource %s must be in ARN format or \"*\".", r)
		}
		if parts[0] == "arn" && len(parts) < 6 && !strings.HasSuffix(r, "*") {
			return malformed("The policy failed legacy parsing")
		}
	}
	return nil
}

var trustActions = map[string]bool{
	"sts:assumerole": true, "sts:assumerolewithsaml": true, "sts:assumerolewithwebidentity": true, "sts:tagsession": true,
	"sts:setsourceidentity": true, "sts:setcontext": true, "sts:*": true, "sts:assumerole*": true,
}

// checkTrust returns MalformedPolicyDocument for what does not say who may assume
// a role.
func checkTrust(e Entity) error {
	d, err := parse(e.Trust)
	if err != nil {
		return err
	}
	if size := sizeOf(e.Trust); size > maxTrust && e.Service == "" {
		return exceeded("ACLSizePerRole", maxTrust)
	}
	for _, s := range d.Statements {
		switch {
		case s.Principals == nil && s.NotPrincipals == nil:
			return malformed("Missing required field Principal")
		case s.Resources != nil:
			return malformed("Has prohibited field Resource")
		case s.NotResources != nil:
			return malformed("Has prohibited field NotResource")
		case len(s.Actions)+len(s.NotActions) == 0:
			return malformed("Missing required field Action")
		}
		for _, a := range append(append([]string{}, s.Actions...), s.NotActions...) {
			if !trustActions[strings.ToLower(a)] {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
		for _, p := range append(append([]policy.Principal{}, s.Principals...), s.NotPrincipals...) {
			if !validPrincipal(p) {
				return malformed("Invalid principal in policy: %q:%q", p.Type, p.ID)
			}
		}
	}
	return nil
}

var (
	awsPrincipal = regexp.MustCompile(`^(\*|\d{12}|arn:aws[a-z-]*:(iam|sts)::(\d{12}|aws|cloudfront):[^*?\s]+|A[A-Z]{3}[A-Z0-9]{16,})$`)
	aService     = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.(amazonaws\.com(\.cn)?|amazon\.com|aws\.internal)$`)
)

func validPrincipal(p policy.Principal) bool {
	switch p.Type {
	case "AWS":
		return awsPrincipal.MatchString(p.ID)
	case "Service":
		return aService.MatchString(p.ID)
	case "Federated":
		return p.ID != ""
	}
	return p.Type == "CanonicalUser"
}

// sizeOf returns the length of a document without its white space, which IAM does
// not count.
func sizeOf(text string) int {
	var b bytes.Buffer
	if json.Compact(&b, []byte(text)) == nil {
		return b.Len()
	}
	return len(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, text))
}
