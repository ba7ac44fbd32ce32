package iot

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"plumb/internal/config"
)

// A Click is how a button was pressed: once, twice, or for longer than a second and a half.
type Click string

// The clicks that buttons tell apart.
const (
	Single Click = "SINGLE"
	Double Click = "DOUBLE"
	Long   Click = "LONG"
)

var serial = regexp.MustCompile(`^[A-Za-z0-9]{1,64}$`)

// Press publishes what a button publishes that is pressed: its serial number, its
// voltage and the click, to the topic iotbutton/SERIAL.
func (e *Engine) Press(ctx context.Context, p config.Place, number string, click Click, voltage string) error {
	click = Click(strings.ToUpper(string(click)))
	switch click {
	case "":
		click = Single
	case Single, Double, Long:
	default:
		return invalid("The click %s is none of SINGLE, DOUBLE and LONG.", click)
	}
	if !serial.MatchString(number) {
		return invalid("The serial number %q has to be 1 to 64 letters and digits.", number)
	}
	if voltage == "" {
		voltage = "2000mV"
	}
	payload, err := json.Marshal(struct {
		Serial  string `json:"serialNumber"`
		Voltage string `json:"batteryVoltage"`
		Click   Click  `json:"clickType"`
	}{number, voltage, click})
	if err != nil {
		return err
	}
	return e.Publish(ctx, Message{Place: p, Topic: "iotbutton/" + number, Payload: payload, Client: number})
}
