package wire

import (
	"encoding/xml"
	"maps"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"plumb/internal/caller"
	"plumb/internal/model"
)

// A protocol is how one request wants its answer.
type protocol struct {
	kind      string // json, query, rest-json, rest-xml, s3
	version   string // of awsJson
	namespace string // of the XML
	typed     string // prefix of __type: com.amazonaws.sqs#
	compat    bool   // errors carry x-amzn-query-error
}

// protocolOf is the protocol in which a service answers a request. Old SQS clients send awsQuery to a JSON service.
func protocolOf(info model.Info, r *http.Request) protocol {
	p := protocol{kind: info.Protocol, version: info.JSONVersion, namespace: info.XMLNamespace}
	if info.QueryCompatible {
		p.compat, p.typed = true, "com.amazonaws."+info.Name+"#"
		if r.Header.Get("X-Amz-Target") == "" {
			p.kind = "query"
			p.namespace = "http://queue.amazonaws.com/doc/" + info.APIVersion + "/"
		}
	}
	return p
}

// guessProtocol is for requests whose service is not served here: by what they carry, then by whom they are signed for.
func guessProtocol(r *http.Request) protocol {
	contentType := r.Header.Get("Content-Type")
	c, _ := readCredential(r) // its scope is there even when the rest is not
	switch {
	case r.Header.Get("X-Amz-Target") != "":
		version := "1.1"
		if strings.HasSuffix(contentType, "1.0") {
			version = "1.0"
		}
		return protocol{kind: "json", version: version}
	case c.service == "ec2":
		return protocol{kind: "ec2"}
	case strings.HasPrefix(contentType, "application/x-www-form-urlencoded"), r.URL.Query().Has("Action"),
		c.service == "route53", c.service == "cloudfront":
		return protocol{kind: "query"}
	case strings.Contains(contentType, "json"), c.service != "" && c.service != "s3":
		return protocol{kind: "rest-json"}
	}
	return protocol{kind: "s3"}
}

// WriteError answers a request that no served service answers, in the protocol that the request seems to speak.
func WriteError(w http.ResponseWriter, r *http.Request, err *model.Error) {
	writeError(w, guessProtocol(r), err, caller.From(r.Context()).RequestID)
}

func write(w http.ResponseWriter, status int, contentType string, body []byte) {
	if status != http.StatusNoContent {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(status)
	w.Write(body) // a client that has gone away is not our error
}

func writeError(w http.ResponseWriter, p protocol, err *model.Error, requestID string) {
	if told, ok := w.(interface{ Failed(*model.Error) }); ok {
		told.Failed(err)
	}
	maps.Copy(w.Header(), err.Header)
	switch p.kind {
	case "ec2":
		writeEC2Error(w, err, requestID)
	case "query", "rest-xml":
		writeQueryError(w, p, err, requestID)
	case "s3":
		writeS3Error(w, err, requestID)
	case "json":
		if p.compat {
			w.Header().Set("x-amzn-query-error", queryCode(err)+";"+sender(err))
		}
		body := errorBody(err)
		body["__type"] = p.typed + err.Code
		writeJSONError(w, jsonStatus(err), "application/x-amz-json-"+p.version, body)
	default:
		w.Header()["x-amzn-ErrorType"] = []string{err.Code}
		body := errorBody(err)
		if err.Typed {
			body["Type"] = "User"
			if err.Fault {
				body["Type"] = "Server"
			}
		}
		writeJSONError(w, restStatus(err), "application/json", body)
	}
}

func writeJSONError(w http.ResponseWriter, status int, contentType string, members map[string]any) {
	body, err := newJSONCodec().encode(members)
	if err != nil {
		body = []byte("{}") // a field that cannot be written must not hide the error
	}
	write(w, status, contentType, body)
}

func errorBody(err *model.Error) map[string]any {
	body := map[string]any{}
	maps.Copy(body, err.Fields)
	key := err.MessageKey
	if key == "" {
		key = "message"
	}
	if err.Message != "" || err.Code == "InternalFailure" {
		body[key] = err.Message
	}
	return body
}

// jsonStatus: awsJson knows 400 and 500, and little else.
func jsonStatus(err *model.Error) int {
	switch {
	case err.Status >= 500, err.Status == http.StatusRequestEntityTooLarge, err.Code == "UnknownOperationException":
		return err.Status
	}
	return http.StatusBadRequest
}

// restStatus: what JSON services answer with 400 because they have nothing else, REST services say in the status.
func restStatus(err *model.Error) int {
	switch err.Code {
	case "AccessDeniedException":
		return http.StatusForbidden
	case "ThrottlingException":
		return http.StatusTooManyRequests
	case "UnknownOperationException":
		return http.StatusNotFound
	}
	return err.Status
}

func sender(err *model.Error) string {
	if err.Fault {
		return "Receiver"
	}
	return "Sender"
}

func queryCode(err *model.Error) string {
	if err.QueryCode != "" {
		return err.QueryCode
	}
	return err.Code
}

func writeQueryError(w http.ResponseWriter, p protocol, err *model.Error, requestID string) {
	x := &xmlWriter{}
	x.WriteString(`<ErrorResponse xmlns="` + p.namespace + `">`)
	x.open("Error")
	x.leaf("Type", sender(err))
	x.leaf("Code", queryCode(err))
	x.leaf("Message", err.Message)
	x.close("Error")
	x.leaf("RequestId", requestID)
	x.close("ErrorResponse")
	write(w, restStatus(err), "text/xml", x.Bytes())
}

func writeEC2Error(w http.ResponseWriter, err *model.Error, requestID string) {
	x := &xmlWriter{}
	x.WriteString(xml.Header)
	x.open("Response")
	x.open("Errors")
	x.open("Error")
	x.leaf("Code", queryCode(err))
	x.leaf("Message", err.Message)
	x.close("Error")
	x.close("Errors")
	x.leaf("RequestID", requestID)
	x.close("Response")
	write(w, restStatus(err), "text/xml", x.Bytes())
}

// s3Code is the name that S3 has for what other services call otherwise.
func s3Code(err *model.Error) string {
	switch err.Code {
	case "UnrecognizedClientException":
		return "InvalidAccessKeyId"
	case "MissingAuthenticationToken":
		return "AccessDenied"
	case "InternalFailure":
		return "InternalError"
	}
	return queryCode(err)
}

func writeS3Error(w http.ResponseWriter, err *model.Error, requestID string) {
	x := &xmlWriter{}
	x.WriteString(xml.Header)
	x.open("Error")
	x.leaf("Code", s3Code(err))
	x.leaf("Message", err.Message)
	x.leaf("RequestId", requestID)
	x.close("Error")
	write(w, restStatus(err), "application/xml", x.Bytes())
}

// answerJSON writes an output in awsJson. An operation whose model has no output answers with an empty body.
func (h *Handler) answerJSON(w http.ResponseWriter, p protocol, route *model.Route, out any) error {
	var body []byte
	if !route.NoOutput {
		var err error
		if body, err = h.json.encode(out); err != nil {
			return err
		}
	}
	write(w, route.Status, "application/x-amz-json-"+p.version, body)
	return nil
}

// answerQuery writes an output in awsQuery.
func (h *Handler) answerQuery(w http.ResponseWriter, p protocol, route *model.Route, out any, requestID string) {
	x := &xmlWriter{plans: &h.plans}
	response := route.Operation + "Response"
	x.WriteString("<" + response + ` xmlns="` + p.namespace + `">`)
	if !route.NoOutput {
		wrapper := route.ResultWrapper
		if wrapper == "" {
			wrapper = route.Operation + "Result"
		}
		x.open(wrapper)
		x.structure(reflect.ValueOf(out).Elem())
		x.close(wrapper)
	}
	x.open("ResponseMetadata")
	x.leaf("RequestId", requestID)
	x.close("ResponseMetadata")
	x.close(response)
	write(w, route.Status, "text/xml", x.Bytes())
}
