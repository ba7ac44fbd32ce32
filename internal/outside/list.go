package outside

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"plumb/internal/model"
)

// A list is an operation that lists what the account has here and at its target.
type list struct {
	array string // the member of the answer that holds the list
	bare  bool   // in XML: its elements stand in the result itself
	token string // the parameter that continues the list
	next  string // the member of the answer that says how it goes on
	limit string // the parameter that bounds a page
	more  string // in XML: the member that says whether it goes on
	isXML bool
}

var lists = map[string]list{
	"s3 ListBuckets":                     {array: "Buckets", token: "continuation-token", next: "ContinuationToken", limit: "max-buckets", isXML: true},
	"cloudformation ListStacks":          {array: "StackSummaries", token: "NextToken", next: "NextToken", isXML: true},
	"cloudformation ListExports":         {array: "Exports", token: "NextToken", next: "NextToken", isXML: true},
	"iam ListRoles":                      {array: "Roles", token: "Marker", next: "Marker", limit: "MaxItems", more: "IsTruncated", isXML: true},
	"iam ListUsers":                      {array: "Users", token: "Marker", next: "Marker", limit: "MaxItems", more: "IsTruncated", isXML: true},
	"iam ListGroups":                     {array: "Groups", token: "Marker", next: "Marker", limit: "MaxItems", more: "IsTruncated", isXML: true},
	"iam ListPolicies":                   {array: "Policies", token: "Marker", next: "Marker", limit: "MaxItems", more: "IsTruncated", isXML: true},
	"iam ListInstanceProfiles":           {array: "InstanceProfiles", token: "Marker", next: "Marker", limit: "MaxItems", more: "IsTruncated", isXML: true},
	"sns ListTopics":                     {array: "Topics", token: "NextToken", next: "NextToken", isXML: true},
	"sns ListSubscriptions":              {array: "Subscriptions", token: "NextToken", next: "NextToken", isXML: true},
	"sqs ListQueues":                     {array: "QueueUrls", token: "NextToken", next: "NextToken", limit: "MaxResults"},
	"lambda ListFunctions":               {array: "Functions", token: "Marker", next: "NextMarker", limit: "MaxItems"},
	"firehose ListDeliveryStreams":       {array: "DeliveryStreamNames"}, // its pages begin after a name: the target's is added whole
	"logs DescribeLogGroups":             {array: "logGroups", token: "nextToken", next: "nextToken", limit: "limit"},
	"events ListRules":                   {array: "Rules", token: "NextToken", next: "NextToken", limit: "Limit"},
	"scheduler ListSchedules":            {array: "Schedules", token: "NextToken", next: "NextToken", limit: "MaxResults"},
	"codecommit ListRepositories":        {array: "repositories", token: "nextToken", next: "nextToken"},
	"cognito-identity ListIdentityPools": {array: "IdentityPools", token: "NextToken", next: "NextToken", limit: "MaxResults"},
	"ses ListIdentities":                 {array: "Identities", token: "NextToken", next: "NextToken", limit: "MaxItems", isXML: true},
	"apigateway GetApis":                 {array: "items", token: "nextToken", next: "nextToken", limit: "maxResults"},
	"apigateway GetRestApis":             {array: "item", token: "position", next: "position", limit: "limit"},
}

// atTarget begins the tokens of pages that the target has; its own token follows.
const atTarget = "at-target."

// both answers a list: first what is here, then what the target has. Where the
// client bounds a page, or ours is not the last, the target's begins a page of its own.
func (o *Router) both(w http.ResponseWriter, q *routed, l list, here func(http.ResponseWriter)) error {
	if isForm(q.r) && q.service == "sqs" { // old clients speak XML
		l.array, l.bare, l.isXML = "QueueUrl", true, true
	}
	if theirs, ok := strings.CutPrefix(q.parameter(l.token), atTarget); ok {
		q.setParameter(l.token, theirs)
		return o.theirPage(w, q, l)
	}
	ours := &written{header: http.Header{}}
	here(ours)
	page := l.read(ours.body.Bytes())
	switch {
	case ours.code() != http.StatusOK || page.next != "":
		ours.copyTo(w)
		return nil
	case !page.empty && l.limit != "" && q.parameter(l.limit) != "":
		ours.replace(l.write(ours.body.Bytes(), nil, atTarget))
		ours.copyTo(w)
		return nil
	}
	theirs := &written{header: http.Header{}}
	if err := o.theirPage(theirs, q, l); err != nil {
		return err
	}
	if theirs.code() != http.StatusOK {
		theirs.copyTo(w)
		return nil
	}
	more := l.read(theirs.body.Bytes())
	ours.replace(l.write(ours.body.Bytes(), more.elements, more.next))
	ours.copyTo(w)
	return nil
}

// theirPage answers with a page of the target's list, whose token leads to it.
func (o *Router) theirPage(w http.ResponseWriter, q *routed, l list) error {
	a := &written{header: http.Header{}}
	if err := o.there(a, q); err != nil {
		return err
	}
	if a.code() == http.StatusOK {
		body := a.body.Bytes()
		if l.isXML != looksXML(body) {
			return model.ServiceUnavailable("The target of this account answered the request for %s in another form.", q.operation)
		}
		if next := l.read(body).next; next != "" {
			a.replace(l.write(body, nil, atTarget+next))
		}
	}
	a.copyTo(w)
	return nil
}

func looksXML(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) }

// A page is what a list's answer says.
type page struct {
	elements []byte // between the brackets
	empty    bool
	next     string
}

func (l list) read(body []byte) page {
	var p page
	if l.isXML {
		p.elements, p.next = l.elementsXML(body), unescapeXML(first(tagOf(l.next), body))
	} else {
		var members map[string]json.RawMessage
		if json.Unmarshal(body, &members) == nil {
			_ = json.Unmarshal(members[l.next], &p.next) // null or nothing: there is no other page
			text := bytes.TrimSpace(members[l.array])
			if len(text) > 1 && text[0] == '[' {
				p.elements = bytes.TrimSpace(text[1 : len(text)-1])
			}
		}
	}
	p.empty = len(bytes.TrimSpace(p.elements)) == 0
	return p
}

// write adds elements to the list in an answer, and says how it goes on.
func (l list) write(body, elements []byte, next string) []byte {
	if l.isXML {
		return l.writeXML(body, elements, next)
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return body
	}
	own := l.read(body).elements
	all := bytes.Join([][]byte{own, elements}, []byte(","))
	if len(own) == 0 || len(elements) == 0 {
		all = append(own, elements...)
	}
	members[l.array] = append(append([]byte("["), all...), ']')
	delete(members, l.next)
	if next != "" {
		members[l.next], _ = json.Marshal(next) // text always can
	}
	out, err := json.Marshal(members)
	if err != nil {
		return body
	}
	return out
}

func tagOf(name string) *regexp.Regexp {
	return regexp.MustCompile(`(?s)<` + name + `>(.*?)</` + name + `>|<` + name + `\s*/>`)
}

func first(tag *regexp.Regexp, body []byte) []byte {
	if m := tag.FindSubmatch(body); m != nil {
		return m[1]
	}
	return nil
}

func (l list) elementsXML(body []byte) []byte {
	if !l.bare {
		return first(tagOf(l.array), body)
	}
	return bytes.Join(tagOf(l.array).FindAll(body, -1), nil)
}

// writeXML puts elements after the last one that is there.
func (l list) writeXML(body, elements []byte, next string) []byte {
	body = tagOf(l.next).ReplaceAll(body, nil)
	if l.more != "" {
		body = tagOf(l.more).ReplaceAll(body, []byte("<"+l.more+">"+strconv.FormatBool(next != "")+"</"+l.more+">"))
	}
	var more []byte
	if next != "" {
		more = []byte("<" + l.next + ">" + escapeXML(next) + "</" + l.next + ">")
	}
	if l.bare {
		return endOfResult.ReplaceAllFunc(body, func(end []byte) []byte {
			if bytes.HasSuffix(end, []byte("/>")) { // an empty result
				name := strings.TrimSpace(strings.Trim(string(end), "</>"))
				return []byte("<" + name + ">" + string(elements) + string(more) + "</" + name + ">")
			}
			return append(append(bytes.Clone(elements), more...), end...)
		})
	}
	tag := tagOf(l.array)
	at := tag.FindIndex(body)
	if at == nil {
		return body
	}
	inner := append(bytes.Clone(first(tag, body)), elements...)
	filled := []byte("<" + l.array + ">" + string(inner) + "</" + l.array + ">" + string(more))
	return bytes.Join([][]byte{body[:at[0]], filled, body[at[1]:]}, nil)
}

var endOfResult = regexp.MustCompile(`</\w+Result>|<\w+Result\s*/>`)

var xmlEscapes = []string{"&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;"}

func escapeXML(text string) string { return strings.NewReplacer(xmlEscapes...).Replace(text) }

func unescapeXML(text []byte) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&#34;", `"`, "&amp;", "&").Replace(string(text))
}

// replace gives an answer another body.
func (w *written) replace(body []byte) {
	body = bytes.Clone(body)
	w.body.Reset()
	w.body.Write(body)
	if w.header.Get("Content-Length") != "" {
		w.header.Set("Content-Length", strconv.Itoa(len(body)))
	}
}

// copyTo answers a client with what was written.
func (w *written) copyTo(to http.ResponseWriter) {
	for name, values := range w.header {
		to.Header()[name] = values
	}
	to.Header().Del("X-Amz-Crc32") // of the body that was
	to.WriteHeader(w.code())
	to.Write(w.body.Bytes()) // a client that has gone away is not our error
}
