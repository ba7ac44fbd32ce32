// Package ses is the embedded SES's side that receives: rule sets, their rules,
// filters of addresses, identities, and the way of a mail through the rules of those
// who are to get it.
//
// It is not SES's API: api/ses speaks that. It sends no mail to other machines. It
// stores ses_rule_sets, ses_rules, ses_filters, ses_identities, and in ses_mails those
// that are on their way.
//
// A mail comes by SMTP, or from a client that sends to somebody who is received for
// here. It is kept, with a job for each place that receives it, before its sender is
// told so. The job looks at who sent it, and then takes the actions of the rules one
// by one: how far it has come is written in the transaction that takes an action.
//
//	m := ses.New(log, d, jobs, clk.Now, ses.Options{Functions: functions, Publish: publish, PutObject: put})
//	stop := ses.SMTP(log, listener, "us-east-1", certificate, func() *ses.Mail { return m })
package ses
