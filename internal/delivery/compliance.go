package delivery

import (
	"fmt"
	"time"

	"plumb/internal/config"
)

// complianceMessage returns the ComplianceChangeNotification of one change.
func complianceMessage(p config.Place, ch config.VerdictChange, created time.Time) (message, error) {
	v := ch.New
	body, err := config.ComplianceNotification(p, ch, created)
	text := fmt.Sprintf("%s %s is %s with %s in Account %s", v.ResourceType, v.ResourceID, v.Compliance, v.Rule, p.Account)
	return newMessage(subject(p, text), body, err)
}
