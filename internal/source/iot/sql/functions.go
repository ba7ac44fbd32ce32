package sql

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"math"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// A function of the language. It is undefined where an argument is, unless it is for that.
type function struct {
	min, max    int // arguments
	ofUndefined bool
	do          func(e *env, in []any) any
}

// functions are all there are, by their names in small letters.
var functions = map[string]function{
	"topic":      {0, 1, false, topicOf},
	"timestamp":  {0, 0, false, func(e *env, _ []any) any { return intNumber(e.Time.UnixMilli()) }},
	"clientid":   {0, 0, false, func(e *env, _ []any) any { return orElse(e.Client, "N/A") }},
	"principal":  {0, 0, false, func(e *env, _ []any) any { return orElse(e.Principal, "N/A") }},
	"accountid":  {0, 0, false, func(e *env, _ []any) any { return e.Account }},
	"newuuid":    {0, 0, false, func(*env, []any) any { return newUUID() }},
	"traceid":    {0, 0, false, func(e *env, _ []any) any { return e.Trace }},
	"parse_time": {2, 3, false, func(_ *env, in []any) any { return parseTime(in) }},

	"lower": textFunction(strings.ToLower),
	"upper": textFunction(strings.ToUpper),
	"trim":  textFunction(func(s string) string { return strings.Trim(s, " \t\r\n") }),
	"ltrim": textFunction(func(s string) string { return strings.TrimLeft(s, " \t\r\n") }),
	"rtrim": textFunction(func(s string) string { return strings.TrimRight(s, " \t\r\n") }),
	"length": {1, 1, false, func(_ *env, in []any) any {
		return ofText(in[0], func(s string) any { return intNumber(int64(utf8.RuneCountInString(s))) })
	}},
	"concat":     {1, 64, false, concat},
	"substring":  {2, 3, false, substring},
	"startswith": {2, 2, false, ofTexts(func(a, b string) any { return strings.HasPrefix(a, b) })},
	"endswith":   {2, 2, false, ofTexts(func(a, b string) any { return strings.HasSuffix(a, b) })},
	"indexof":    {2, 2, false, indexOf},
	"replace":    {3, 3, false, replaceAll},
	"numbytes": {1, 1, false, func(_ *env, in []any) any {
		return ofText(in[0], func(s string) any { return intNumber(int64(len(s))) })
	}},
	"chr":         {1, 1, false, chr},
	"encode":      {2, 2, true, encodeWith},
	"decode":      {2, 2, false, decodeWith},
	"md5":         digest(md5.New),
	"sha1":        digest(sha1.New),
	"sha224":      digest(sha256.New224),
	"sha256":      digest(sha256.New),
	"sha384":      digest(sha512.New384),
	"sha512":      digest(sha512.New),
	"get":         {2, 2, false, func(_ *env, in []any) any { return get(in[0], in[1]) }},
	"isnull":      {1, 1, true, func(_ *env, in []any) any { return in[0] == nil }},
	"isundefined": {1, 1, true, func(_ *env, in []any) any { _, is := in[0].(undefined); return is }},
	"nanvl":       {2, 2, true, func(_ *env, in []any) any { return firstNumber(in) }},

	"regexp_matches": {2, 2, false, ofPattern(func(s string, re *regexp.Regexp) any { return re.MatchString(s) })},
	"regexp_substr":  {2, 2, false, ofPattern(func(s string, re *regexp.Regexp) any { return re.FindString(s) })},
	"regexp_replace": {3, 3, false, func(e *env, in []any) any {
		to, ok := in[2].(string)
		if !ok {
			return undefined{}
		}
		return ofPattern(func(s string, re *regexp.Regexp) any { return re.ReplaceAllString(s, to) })(e, in)
	}},

	"abs":       numberFunction(math.Abs),
	"ceil":      numberFunction(math.Ceil),
	"floor":     numberFunction(math.Floor),
	"round":     numberFunction(math.Round),
	"sqrt":      numberFunction(math.Sqrt),
	"exp":       numberFunction(math.Exp),
	"ln":        numberFunction(math.Log),
	"log":       numberFunction(math.Log10),
	"sign":      numberFunction(func(f float64) float64 { return float64(sign(f, 0)) }),
	"sin":       numberFunction(math.Sin),
	"cos":       numberFunction(math.Cos),
	"tan":       numberFunction(math.Tan),
	"trunc":     {2, 2, false, trunc},
	"mod":       {2, 2, false, func(_ *env, in []any) any { return arithmetic("%", in[0], in[1]) }},
	"power":     {2, 2, false, numbers(math.Pow)},
	"remainder": {2, 2, false, numbers(math.Remainder)},
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// topicOf returns the topic, or one of its parts, counted from 1.
func topicOf(e *env, in []any) any {
	if len(in) == 0 {
		return e.Topic
	}
	parts := strings.Split(e.Topic, "/")
	if n, ok := asInt(in[0]); ok && n >= 1 && n <= int64(len(parts)) {
		return parts[n-1]
	}
	return undefined{}
}

func newUUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails: package crypto/rand
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

func ofText(v any, f func(string) any) any {
	if s, ok := asText(v); ok {
		return f(s)
	}
	return undefined{}
}

func textFunction(f func(string) string) function {
	return function{1, 1, false, func(_ *env, in []any) any { return ofText(in[0], func(s string) any { return f(s) }) }}
}

func ofTexts(f func(a, b string) any) func(*env, []any) any {
	return func(_ *env, in []any) any {
		a, aok := asText(in[0])
		b, bok := asText(in[1])
		if !aok || !bok {
			return undefined{}
		}
		return f(a, b)
	}
}

func numberFunction(f func(float64) float64) function {
	return function{1, 1, false, func(_ *env, in []any) any {
		if v, ok := asFloat(in[0]); ok {
			return floatNumber(f(v))
		}
		return undefined{}
	}}
}

func numbers(f func(a, b float64) float64) func(*env, []any) any {
	return func(_ *env, in []any) any {
		a, aok := asFloat(in[0])
		b, bok := asFloat(in[1])
		if !aok || !bok {
			return undefined{}
		}
		return floatNumber(f(a, b))
	}
}

// concat joins lists, or texts.
func concat(_ *env, in []any) any {
	var list []any
	lists := false
	for _, v := range in {
		if l, ok := v.([]any); ok {
			lists = true
			list = append(list, l...)
			continue
		}
		list = append(list, v)
	}
	if lists {
		return list
	}
	var b strings.Builder
	for _, v := range in {
		s, _ := asText(v)
		b.WriteString(s)
	}
	return b.String()
}

// substring is from an index to another one, which is not in it.
func substring(_ *env, in []any) any {
	s, ok := asText(in[0])
	from, fok := asFloat(in[1])
	runes := []rune(s)
	to := float64(len(runes))
	if len(in) == 3 {
		var tok bool
		to, tok = asFloat(in[2])
		ok = ok && tok
	}
	if !ok || !fok {
		return undefined{}
	}
	begin, stop := min(max(0, int(from)), len(runes)), min(max(0, int(to)), len(runes))
	if begin > stop {
		return ""
	}
	return string(runes[begin:stop])
}

func indexOf(e *env, in []any) any {
	return ofTexts(func(a, b string) any {
		i := strings.Index(a, b)
		if i > 0 {
			i = utf8.RuneCountInString(a[:i])
		}
		return intNumber(int64(i))
	})(e, in)
}

func replaceAll(_ *env, in []any) any {
	s, a := asText(in[0])
	from, b := asText(in[1])
	to, c := asText(in[2])
	if !a || !b || !c {
		return undefined{}
	}
	return strings.ReplaceAll(s, from, to)
}

func chr(_ *env, in []any) any {
	if n, ok := asInt(in[0]); ok && n >= 0 && n <= utf8.MaxRune {
		return string(rune(n))
	}
	return undefined{}
}

// encodeWith encodes a value in base64: the message as it came, where it is the message.
func encodeWith(e *env, in []any) any {
	if in[1] != "base64" {
		return undefined{}
	}
	if _, none := in[0].(undefined); none || e.isPayload(in[0]) {
		return base64.StdEncoding.EncodeToString(e.Payload)
	}
	return ofText(in[0], func(s string) any { return base64.StdEncoding.EncodeToString([]byte(s)) })
}

func decodeWith(_ *env, in []any) any {
	s, ok := in[0].(string)
	text, err := base64.StdEncoding.DecodeString(s)
	if !ok || in[1] != "base64" || err != nil || !utf8.Valid(text) {
		return undefined{}
	}
	return string(text)
}

func digest(h func() hash.Hash) function {
	return textFunction(func(s string) string {
		sum := h()
		sum.Write([]byte(s))
		return hex.EncodeToString(sum.Sum(nil))
	})
}

func firstNumber(in []any) any {
	if _, ok := in[0].(json.Number); ok {
		return in[0]
	}
	return in[1]
}

// maxPattern bounds what is compiled for a message.
const maxPattern = 1000

func ofPattern(f func(s string, re *regexp.Regexp) any) func(*env, []any) any {
	return func(_ *env, in []any) any {
		s, ok := asText(in[0])
		pattern, pok := in[1].(string)
		if !ok || !pok || len(pattern) > maxPattern {
			return undefined{}
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return undefined{}
		}
		return f(s, re)
	}
}

// trunc cuts a number to so many places.
func trunc(_ *env, in []any) any {
	f, ok := asFloat(in[0])
	places, pok := asInt(in[1])
	if !ok || !pok || places < 0 || places > 34 {
		return undefined{}
	}
	power := math.Pow10(int(places))
	return floatNumber(math.Trunc(f*power) / power)
}

// timeWords are the letters of Joda's patterns, as Go writes them.
var timeWords = strings.NewReplacer("yyyy", "2006", "MM", "01", "dd", "02", "HH", "15", "mm", "04", "ss", "05", "SSS", "000", "'T'", "T", "z", "MST", "Z", "-0700")

// parseTime writes a moment in milliseconds by a pattern, in UTC or a named zone.
func parseTime(in []any) any {
	pattern, ok := in[0].(string)
	at, aok := asFloat(in[1])
	zone := time.UTC
	if len(in) == 3 {
		named, _ := in[2].(string)
		var err error
		if zone, err = time.LoadLocation(named); err != nil {
			return undefined{}
		}
	}
	if !ok || !aok {
		return undefined{}
	}
	return time.UnixMilli(int64(at)).In(zone).Format(timeWords.Replace(pattern))
}
