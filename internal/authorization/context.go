package authorization

import (
	"net"
	"strconv"
	"strings"
	"time"

	"plumb/internal/policy"
)

// context returns the keys that conditions can ask for.
func (s subject) context(q Ask, now time.Time) policy.Context {
	out := policy.Context{
		"aws:principalarn":     {s.principal()},
		"aws:principalaccount": {s.Account},
		"aws:userid":           {s.UserID},
		"aws:requestedregion":  {s.Region},
		"aws:currenttime":      {now.UTC().Format(time.RFC3339)},
		"aws:epochtime":        {strconv.FormatInt(now.Unix(), 10)},
		"aws:securetransport":  {strconv.FormatBool(strings.HasPrefix(s.Endpoint, "https://"))},
		"aws:principaltype":    {s.principalType()},
	}
	if s.UserAgent != "" {
		out["aws:useragent"] = []string{s.UserAgent}
	}
	if host, _, err := net.SplitHostPort(s.RemoteAddr); err == nil {
		out["aws:sourceip"] = []string{host}
	}
	if _, name, ok := strings.Cut(s.PrincipalARN, ":user/"); ok {
		out["aws:username"] = []string{name[strings.LastIndexByte(name, '/')+1:]}
	}
	for k, v := range s.entity.Tags {
		out["aws:principaltag/"+strings.ToLower(k)] = []string{v}
	}
	if t := s.Session; t != nil {
		for k, v := range t.Tags {
			out["aws:principaltag/"+strings.ToLower(k)] = []string{v}
		}
		if t.SourceIdentity != "" {
			out["aws:sourceidentity"] = []string{t.SourceIdentity}
		}
		if t.Cognito != "" {
			out["cognito-identity.amazonaws.com:sub"] = []string{t.Cognito}
		}
		if !t.Issued.IsZero() {
			out["aws:tokenissuetime"] = []string{t.Issued.UTC().Format(time.RFC3339)}
		}
	}
	for k, v := range q.Context {
		out[k] = v
	}
	return out
}

// principal is the ARN that policies compare: that of the role, for its sessions.
func (s subject) principal() string {
	if s.entity.ID != "" {
		return s.entity.ARN()
	}
	return s.PrincipalARN
}

func (s subject) principalType() string {
	switch {
	case strings.Contains(s.PrincipalARN, ":assumed-role/"):
		return "AssumedRole"
	case strings.Contains(s.PrincipalARN, ":user/"):
		return "User"
	}
	return "Account"
}
