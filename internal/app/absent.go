package app

import (
	"context"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/model"
	"plumb/internal/rule"
)

// absent answers for services that this program does not have.
type absent struct{}

// Publish refuses.
func (absent) Publish(context.Context, *db.Tx, string, string, string, map[string]string) error {
	return model.NotImplementedException("SNS is not served here.")
}

// Exists says no.
func (absent) Exists(context.Context, string) (bool, error) { return false, nil }

func (absent) mayInvoke(context.Context, config.Place, string) error {
	return model.NotImplementedException("Lambda is not served here.")
}

func (absent) invoke(context.Context, *db.Tx, rule.Invocation) error {
	return model.NotImplementedException("Lambda is not served here.")
}
