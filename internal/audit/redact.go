package audit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// hidden stands in the place of what is not kept, in CloudTrail's words.
const hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// Bounds of what is kept of a call.
const (
	maxText    = 1024
	maxList    = 50
	maxDepth   = 10
	maxSent    = 8 << 10
	maxNames   = 12
	minHidden  = 4 // letters of a secret that is looked for in messages
	maxHiddens = 64
)

// secretWords are parts of names of members that are secrets.
var secretWords = []string{
	"secret", "password", "passphrase", "privatekey", "credential", "token", "samlassertion", "signature", "authenticationcode", "bootstrap",
	"customerkey", "encryptioncontext", "authparameters", "apikey",
}

// secretNames are names of members that carry content, which may be anything.
var secretNames = map[string]bool{
	"authorization": true, "otp": true, "payload": true, "message": true, "messagebody": true, "body": true, "zipfile": true, "content": true,
	"data": true, "detail": true, "input": true, "inputtemplate": true, "inputpathsmap": true, "templatebody": true, "logevents": true, "records": true,
	"parametervalue": true, "resourceconfiguration": true, "configuration": true, "environment": true, "clientcontext": true, "keymaterial": true,
	"text": true, "messages": true, "slots": true, "recordpatches": true, "messageattributes": true, "messagesystemattributes": true, "parameters": true,
}

// plainMaps are the maps whose values are shown.
var plainMaps = map[string]bool{"tags": true, "attributes": true}

func isSecret(name string) bool {
	name = strings.ToLower(name)
	if secretNames[name] {
		return true
	}
	for _, w := range secretWords {
		if strings.Contains(name, w) {
			return true
		}
	}
	return false
}

// A Redacted is what is left of parameters once their secrets are gone.
type Redacted struct {
	JSON    json.RawMessage
	Names   []string // what members say that name something
	secrets []string
}

// Redact returns what is kept of the parameters of a call, which are a structure or
// decoded JSON.
func Redact(in any) Redacted {
	r := &redactor{room: maxSent}
	v, ok := r.value("", reflect.ValueOf(in), 0)
	if !ok {
		return Redacted{}
	}
	text, err := json.Marshal(v)
	if err != nil || string(text) == "{}" {
		text = nil
	}
	return Redacted{text, r.names, r.secrets}
}

// Message returns the text of an error without the secrets of the call that it is
// about.
func (r Redacted) Message(text string) string {
	for _, s := range r.secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return cut(scrub(text), maxText)
}

type redactor struct {
	room    int
	names   []string
	secrets []string
}

// value returns what is kept of a value, and false if that is nothing.
func (r *redactor) value(name string, v reflect.Value, depth int) (any, bool) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() != reflect.Bool && v.IsZero() {
		return nil, false
	}
	if isSecret(name) {
		r.hide(v, 0)
		return hidden, true
	}
	if r.room <= 0 || depth > maxDepth {
		return "...", true
	}
	r.room -= len(name) + 4
	if t, ok := v.Interface().(time.Time); ok {
		return t.UTC().Format(time.RFC3339), true
	}
	switch v.Kind() {
	case reflect.String:
		return r.text(name, v.String()), true
	case reflect.Struct:
		return r.structure(v, depth), true
	case reflect.Map:
		return r.mapping(name, v, depth), true
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return hidden, true
		}
		return r.list(name, v, depth), true
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Float32, reflect.Float64:
		r.room -= 8
		return v.Interface(), true
	}
	return nil, false
}

func (r *redactor) text(name, text string) string {
	if len(r.names) < maxNames && naming(name) && len(text) <= maxText {
		r.names = append(r.names, strings.ToValidUTF8(text, "�"))
	}
	text = cut(scrub(text[:min(len(text), 2*maxText)]), maxText)
	r.room -= len(text)
	return text
}

// naming reports whether a member names something.
func naming(name string) bool {
	for _, end := range []string{"Name", "Names", "Arn", "ARN", "Arns", "Id", "Ids", "Url", "Identifier", "Resource", "UUID"} {
		if strings.HasSuffix(name, end) || strings.EqualFold(name, end) {
			return true
		}
	}
	return false
}

func (r *redactor) structure(v reflect.Value, depth int) map[string]any {
	out := map[string]any{}
	pair, key := "", v.FieldByName("Key")
	if key.IsValid() && v.FieldByName("Value").IsValid() { // a tag or parameter, which names its value
		if key = reflect.Indirect(key); key.Kind() == reflect.String {
			pair = key.String()
		}
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || !f.IsExported() {
			continue
		}
		if name == "" {
			name = f.Name
		}
		as := name
		if pair != "" && f.Name == "Value" && isSecret(pair) {
			as = pair
		} else if pair != "" && f.Name == "Key" {
			as = "" // of a tag: it names nothing
		}
		if kept, ok := r.value(as, v.Field(i), depth+1); ok {
			out[lowered(name)] = kept
		}
	}
	return out
}

func (r *redactor) mapping(name string, v reflect.Value, depth int) map[string]any {
	out := map[string]any{}
	for _, k := range v.MapKeys() {
		if len(out) >= maxList || r.room <= 0 {
			out["..."] = fmt.Sprintf("%d in all", v.Len())
			break
		}
		key, value := fmt.Sprint(k.Interface()), v.MapIndex(k)
		as := key
		for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
			value = value.Elem()
		}
		if value.Kind() == reflect.String && name != "" && !plainMaps[strings.ToLower(name)] {
			as = "secret" // any map may carry any
		}
		if kept, ok := r.value(as, value, depth+1); ok {
			out[cut(key, maxName)] = kept
		}
	}
	return out
}

func (r *redactor) list(name string, v reflect.Value, depth int) []any {
	out := []any{}
	for i := range v.Len() {
		if i >= maxList || r.room <= 0 {
			return append(out, fmt.Sprintf("... %d in all", v.Len()))
		}
		if kept, ok := r.value(name, v.Index(i), depth+1); ok {
			out = append(out, kept)
		}
	}
	return out
}

// hide notes the texts of a secret, so that messages can be kept free of them.
func (r *redactor) hide(v reflect.Value, depth int) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() || len(r.secrets) >= maxHiddens || depth > maxDepth {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if v.Len() >= minHidden {
			r.secrets = append(r.secrets, v.String())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				r.hide(v.Field(i), depth+1)
			}
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			r.hide(v.MapIndex(k), depth+1)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			r.hide(v.Index(i), depth+1)
		}
	}
}

// lowered is the name of a member as CloudTrail writes it.
func lowered(name string) string {
	for i, c := range name {
		if i == 0 {
			return string(unicode.ToLower(c)) + name[len(string(c)):]
		}
	}
	return name
}

var (
	userInURL   = regexp.MustCompile(`://[^/@\s"']*@`)
	secretInURL = regexp.MustCompile(`(?i)([?&](?:x-amz-[a-z-]*|token|signature|awsaccesskeyid|key|password|secret)=)[^&\s"']*`)
)

// scrub takes passwords and signatures out of URLs.
func scrub(text string) string {
	if !strings.Contains(text, "://") {
		return text
	}
	return secretInURL.ReplaceAllString(userInURL.ReplaceAllString(text, "://***@"), "${1}***")
}
