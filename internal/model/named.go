package model

import "errors"

// Named returns the error that a client is answered for err: the one that AWS names, ServiceUnavailable where err says of
// itself that it is Unavailable (the database is away, or others kept a transaction from its end), and InternalFailure for
// the rest. ok is false for the rest: the server logs them, their text does not leave it.
func Named(err error) (e *Error, ok bool) {
	if errors.As(err, &e) {
		return e, true
	}
	var away interface{ Unavailable() bool }
	if errors.As(err, &away) && away.Unavailable() {
		return ServiceUnavailable("The service is temporarily unavailable. Please try again."), false
	}
	return InternalFailure(), false
}
