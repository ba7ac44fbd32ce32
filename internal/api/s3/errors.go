package s3

import (
	"net/http"

	"plumb/internal/model"
)

// The errors that a request's form leads to. Those of buckets and objects are
// package bucket's.

func fault(status int, code, message string) *model.Error {
	return &model.Error{Code: code, Status: status, Message: message}
}

func malformedXML() error {
	return fault(http.StatusBadRequest, "MalformedXML",
		"The XML you provided was not well-formed or did not validate against our published schema")
}

func invalidArgument(name, value, message string) error {
	return fault(http.StatusBadRequest, "InvalidArgument", message).With("ArgumentName", name).With("ArgumentValue", value)
}

func invalidRequest(message string) error {
	return fault(http.StatusBadRequest, "InvalidRequest", message)
}

func notFound(code, message string) *model.Error {
	return fault(http.StatusNotFound, code, message)
}

func notImplemented(what string) error {
	return fault(http.StatusNotImplemented, "NotImplemented",
		"A header or query you provided implies functionality that is not implemented: "+what+" is not built into Plumb's S3.")
}
