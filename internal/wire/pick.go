package wire

import (
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"plumb/internal/model"
)

// A served is a service with what is computed from it once.
type served struct {
	*model.Registry
	rest []restRoute
}

// A choice is what a request is for: a served service, S3, or the name of something else.
type choice struct {
	served *served
	s3     bool
	name   string
}

// pick finds the service of a request: by target, signing scope, host, path, and the parameters of awsQuery, in that
// order. Whatever nothing else claims is S3's, whose paths may be anything.
func (h *Handler) pick(r *http.Request, c credential, form url.Values) choice {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		prefix, _, _ := strings.Cut(target, ".")
		for _, s := range h.services {
			if s.Info.TargetPrefix == prefix {
				return choice{served: s, name: s.Info.Name}
			}
		}
		return choice{name: first(c.service, prefix)}
	}
	if isS3Control(r, c) {
		return choice{name: "s3control"}
	}
	if found, ok := h.byName(r, first(c.service, hostService(r.Host))); ok {
		return found
	}
	if c.service != "" {
		return choice{name: c.service}
	}
	return h.pickUnsigned(r, form)
}

func (h *Handler) byName(r *http.Request, name string) (choice, bool) {
	if name == "s3" || name == "s3express" {
		return choice{s3: true, name: "s3"}, true
	}
	var found, other choice
	for _, s := range h.services {
		if s.Info.Signing != name {
			continue
		}
		if h.sharing[name] {
			if route, _, ok := findRest(s.rest, r); ok {
				c := choice{served: s, name: s.Info.Name}
				if endsAlike(route.URI, r.URL.Path) {
					return c, true
				}
				other = c
			}
		}
		if s.Info.Name == name && found.served == nil || s.begins(r) {
			found = choice{served: s, name: s.Info.Name}
		}
	}
	if other.served != nil {
		return other, true
	}
	return found, found.served != nil
}

// endsAlike reports whether both paths end with a slash, or none does: by that alone the versions of Lex differ where a
// bot is deleted.
func endsAlike(route, path string) bool {
	route, _, _ = strings.Cut(route, "?")
	return strings.HasSuffix(route, "/") == strings.HasSuffix(path, "/")
}

// begins reports whether a path begins with the first word of one of the service's, which tells versions of an API that
// are signed for alike where no route does.
func (s *served) begins(r *http.Request) bool {
	path := segments(r.URL.Path)
	return len(path) > 0 && slices.ContainsFunc(s.rest, func(route restRoute) bool { return len(route.segments) > 0 && route.segments[0] == path[0] })
}

// hostService is the service in config.us-east-1.amazonaws.com, bucket.s3.localhost and the like.
func hostService(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if net.ParseIP(host) != nil {
		return ""
	}
	labels := strings.Split(host, ".")
	for i, l := range labels {
		if l == "s3" && i < len(labels)-1 {
			return "s3"
		}
	}
	if len(labels) > 1 {
		return labels[0]
	}
	return ""
}

// isS3Control tells a request of the account's S3 from one for a bucket: both are
// signed for s3. Its paths begin with the date of its API, which a bucket could
// have as its name, so the header with the account has to be there as well.
func isS3Control(r *http.Request, c credential) bool {
	return (c.service == "s3" || c.service == "s3control") && strings.HasPrefix(r.URL.Path, "/v20180820/") && r.Header.Get("X-Amz-Account-Id") != ""
}

func (h *Handler) pickUnsigned(r *http.Request, form url.Values) choice {
	for _, s := range h.services {
		if s.rest != nil && s.claims(r) {
			return choice{served: s, name: s.Info.Name}
		}
	}
	if action := form.Get("Action"); action != "" {
		if s := h.byAction(action, form.Get("Version")); s != nil {
			return choice{served: s, name: s.Info.Name}
		}
		return choice{name: "of action " + action}
	}
	return choice{s3: true, name: "s3"}
}

// claims says whether a path begins like one of the service's: with the date of an API.
func (s *served) claims(r *http.Request) bool {
	path := segments(r.URL.Path)
	for _, route := range s.rest {
		if len(path) > 1 && len(route.segments) > 1 && path[0] == route.segments[0] && path[1] == route.segments[1] {
			return true
		}
	}
	return false
}

func (h *Handler) byAction(action, version string) *served {
	for _, s := range h.services {
		if s.Info.Protocol != "query" && !s.Info.QueryCompatible || version != "" && version != s.Info.APIVersion {
			continue
		}
		if _, ok := s.Route(action); ok {
			return s
		}
	}
	return nil
}

func first(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}
