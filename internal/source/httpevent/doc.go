// Package httpevent is what the sources share that hand HTTP requests to functions: the
// events of the payload formats 1.0 and 2.0, what functions answer to them, what web pages
// may call, and addresses below the name by which a client reached this server.
//
// It invokes nothing and keeps nothing.
//
//	payload := httpevent.V2{...}.JSON()
//	answer, err := httpevent.ReadV2(result)
//	answer.WriteTo(w)
package httpevent
