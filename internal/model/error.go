package model

import (
	"errors"
	"fmt"
	"net/http"
)

// An Error is an error that AWS names. It is the only kind whose text reaches a client; the generated packages have a
// constructor for each exception of their service, and this file those that every service answers.
type Error struct {
	Code       string // as clients see it: NoSuchConfigRuleException
	QueryCode  string // the code on awsQuery where it differs: AWS.SimpleQueueService.NonExistentQueue
	Message    string
	Status     int            // HTTP status
	Fault      bool           // the server's fault, not the sender's
	MessageKey string         // the member that carries Message: "message" where empty, "Message" for some of Lambda's
	Typed      bool           // the body says Type: User or Server, as Lambda's exceptions do
	Fields     map[string]any // further members of the body: Reason of TooManyRequestsException
	Header     http.Header    // further headers of the answer: Retry-After
}

// Error is the code with its message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// With returns a copy that has one more member in its body.
func (e *Error) With(member string, value any) *Error {
	out := *e
	out.Fields = map[string]any{member: value}
	for k, v := range e.Fields {
		if k != member {
			out.Fields[k] = v
		}
	}
	return &out
}

// Errorf makes an error from its kind: everything but the message is taken from kind.
func Errorf(kind Error, format string, args ...any) *Error {
	kind.Message = fmt.Sprintf(format, args...)
	return &kind
}

// IsCode says whether err is, or wraps, an AWS error with the code.
func IsCode(err error, code string) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code
}

// ValidationException says that a request breaks a constraint of the model.
func ValidationException(format string, args ...any) *Error {
	return Errorf(Error{Code: "ValidationException", Status: http.StatusBadRequest}, format, args...)
}

// SerializationException says that a body is not what the operation reads.
func SerializationException(format string, args ...any) *Error {
	return Errorf(Error{Code: "SerializationException", Status: http.StatusBadRequest}, format, args...)
}

// UnknownOperationException says that a service has no operation of that name.
func UnknownOperationException(format string, args ...any) *Error {
	return Errorf(Error{Code: "UnknownOperationException", Status: http.StatusBadRequest}, format, args...)
}

// NotImplementedException says that AWS has the operation and this program does not have it yet.
func NotImplementedException(format string, args ...any) *Error {
	return Errorf(Error{Code: "NotImplementedException", Status: http.StatusNotImplemented, Fault: true}, format, args...)
}

// AccessDeniedException says that the caller may not do this. JSON services answer it with 400, REST services with 403.
func AccessDeniedException(format string, args ...any) *Error {
	return Errorf(Error{Code: "AccessDeniedException", QueryCode: "AccessDenied", Status: http.StatusBadRequest}, format, args...)
}

// ThrottlingException asks the caller to slow down; SDKs retry it.
func ThrottlingException(format string, args ...any) *Error {
	return Errorf(Error{Code: "ThrottlingException", QueryCode: "Throttling", Status: http.StatusBadRequest}, format, args...)
}

// InternalFailure is what every error without an AWS name becomes on its way out.
func InternalFailure() *Error {
	return &Error{Code: "InternalFailure", Status: http.StatusInternalServerError, Fault: true}
}

// ServiceUnavailable says that the server is starting, stopping or overloaded; SDKs retry it.
func ServiceUnavailable(format string, args ...any) *Error {
	return Errorf(Error{Code: "ServiceUnavailable", Status: http.StatusServiceUnavailable, Fault: true}, format, args...)
}

// MissingAuthenticationToken says that a request is not signed.
func MissingAuthenticationToken() *Error {
	return Errorf(Error{Code: "MissingAuthenticationToken", Status: http.StatusForbidden}, "Missing Authentication Token")
}

// UnrecognizedClientException says that the access key or the session token is not known.
func UnrecognizedClientException() *Error {
	return Errorf(Error{Code: "UnrecognizedClientException", QueryCode: "InvalidClientTokenId",
		Status: http.StatusForbidden}, "The security token included in the request is invalid.")
}

// InvalidSignatureException says that a signature does not match, or is too old.
func InvalidSignatureException(format string, args ...any) *Error {
	return Errorf(Error{Code: "InvalidSignatureException", QueryCode: "SignatureDoesNotMatch",
		Status: http.StatusForbidden}, format, args...)
}

// IncompleteSignatureException says that the authorization header lacks a part.
func IncompleteSignatureException(format string, args ...any) *Error {
	return Errorf(Error{Code: "IncompleteSignatureException", QueryCode: "IncompleteSignature",
		Status: http.StatusForbidden}, format, args...)
}

// ExpiredTokenException says that temporary credentials have run out.
func ExpiredTokenException() *Error {
	return Errorf(Error{Code: "ExpiredTokenException", QueryCode: "ExpiredToken",
		Status: http.StatusForbidden}, "The security token included in the request is expired")
}

// RequestEntityTooLarge says that a body is over the server's limit.
func RequestEntityTooLarge(limit int64) *Error {
	return Errorf(Error{Code: "RequestEntityTooLargeException", Status: http.StatusRequestEntityTooLarge},
		"Request must be smaller than %d bytes", limit)
}
