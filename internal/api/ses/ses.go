// Package ses is the embedded SES's API (version 1), as far as mail is received: it
// checks what a request means, asks package source/ses, and answers in SES's shapes. It
// keeps nothing.
package ses

import (
	"plumb/internal/model"
	"plumb/internal/model/sesapi"
	"plumb/internal/source/ses"
	"plumb/internal/wire"
)

// New returns SES with its operations bound to the receiving side.
func New(m *ses.Mail, tokens wire.Tokens) *model.Registry {
	service := sesapi.NewService()
	register(service, operations{m, tokens})
	return service.Registry()
}

// register is the table of contents.
func register(s *sesapi.Service, o operations) {
	s.CreateReceiptRuleSet(o.CreateReceiptRuleSet)
	s.CloneReceiptRuleSet(o.CloneReceiptRuleSet)
	s.DeleteReceiptRuleSet(o.DeleteReceiptRuleSet)
	s.DescribeReceiptRuleSet(o.DescribeReceiptRuleSet)
	s.ListReceiptRuleSets(o.ListReceiptRuleSets)
	s.SetActiveReceiptRuleSet(o.SetActiveReceiptRuleSet)
	s.DescribeActiveReceiptRuleSet(o.DescribeActiveReceiptRuleSet)
	s.ReorderReceiptRuleSet(o.ReorderReceiptRuleSet)

	s.CreateReceiptRule(o.CreateReceiptRule)
	s.UpdateReceiptRule(o.UpdateReceiptRule)
	s.DeleteReceiptRule(o.DeleteReceiptRule)
	s.DescribeReceiptRule(o.DescribeReceiptRule)
	s.SetReceiptRulePosition(o.SetReceiptRulePosition)

	s.CreateReceiptFilter(o.CreateReceiptFilter)
	s.DeleteReceiptFilter(o.DeleteReceiptFilter)
	s.ListReceiptFilters(o.ListReceiptFilters)

	s.VerifyDomainIdentity(o.VerifyDomainIdentity)
	s.VerifyEmailIdentity(o.VerifyEmailIdentity)
	s.VerifyEmailAddress(o.VerifyEmailAddress)
	s.DeleteIdentity(o.DeleteIdentity)
	s.DeleteVerifiedEmailAddress(o.DeleteVerifiedEmailAddress)
	s.GetIdentityVerificationAttributes(o.GetIdentityVerificationAttributes)
	s.ListIdentities(o.ListIdentities)
	s.ListVerifiedEmailAddresses(o.ListVerifiedEmailAddresses)

	s.SendEmail(o.SendEmail)
	s.SendRawEmail(o.SendRawEmail)
	s.GetSendQuota(o.GetSendQuota)
	s.GetAccountSendingEnabled(o.GetAccountSendingEnabled)
}

type operations struct {
	mail   *ses.Mail
	tokens wire.Tokens
}

func invalid(format string, args ...any) error {
	return model.Errorf(model.Error{Code: "InvalidParameterValue", Status: 400}, format, args...)
}
