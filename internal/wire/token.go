package wire

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"slices"
)

// A Tokens makes paging tokens: opaque, bound to the request's filters, and refused when anyone else made them.
//
//	next := tokens.Encode("DescribeConfigRules", last, account, region)
//	last, ok := tokens.Decode("DescribeConfigRules", *in.NextToken, account, region)
type Tokens struct{ key []byte }

// NewTokens takes the key that all servers of one database share.
func NewTokens(key []byte) Tokens { return Tokens{slices.Clone(key)} }

const macSize = 16

// Encode makes the token that continues after position. The filters must be the same when it comes back.
func (t Tokens) Encode(operation, position string, filters ...string) string {
	sum := t.sum(operation, position, filters)
	return base64.RawURLEncoding.EncodeToString(append(sum, position...))
}

// Decode returns the position in a token. An empty token is the first page, whose position is empty. A token that was
// not made here, or for other filters, is not ok: answer with the operation's InvalidNextTokenException.
func (t Tokens) Decode(operation, token string, filters ...string) (position string, ok bool) {
	if token == "" {
		return "", true
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) < macSize || base64.RawURLEncoding.EncodeToString(raw) != token { // line breaks are skipped
		return "", false
	}
	position = string(raw[macSize:])
	return position, hmac.Equal(raw[:macSize], t.sum(operation, position, filters))
}

func (t Tokens) sum(operation, position string, filters []string) []byte {
	h := hmac.New(sha256.New, t.key)
	for _, part := range append([]string{operation, position}, filters...) {
		h.Write(binary.AppendUvarint(nil, uint64(len(part)))) // lengths keep "a","b" and "ab","" apart
		h.Write([]byte(part))
	}
	return h.Sum(nil)[:macSize]
}
