package app

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"plumb/internal/authorization"
	"plumb/internal/caller"
	"plumb/internal/settings"
	"plumb/internal/source/iot"
)

// newBroker returns the side that devices talk MQTT to.
func (a *App) newBroker() *iot.Broker {
	o := iot.BrokerOptions{Engine: func() *iot.Engine { return a.machine.Load().IoT }, Identify: a.identifyDevice, Note: a.noteFrom}
	if a.settings.Enforces() {
		o.Authorize = func(ctx context.Context, action, resource string) error {
			_, err := a.machine.Load().Authorizer.May(ctx, authorization.Ask{Action: action, Resource: resource})
			return err
		}
	}
	return iot.NewBroker(a.log, o)
}

// identifyDevice returns who a user name of MQTT stands for: an access key, whose secret
// is the password. @REGION behind it names another region than the default one. In
// development mode twelve digits are the account, whatever is not known is the default
// account, and there is no password.
func (a *App) identifyDevice(ctx context.Context, username string) (password string, who caller.Caller, err error) {
	id, region, _ := strings.Cut(username, "@")
	who = caller.Caller{Account: a.settings.Account, Region: region, AccessKeyID: id}
	if region == "" {
		who.Region = a.settings.Region
	}
	secret, known, err := a.keyring(a.machine.Load().Machine)(ctx, id)
	if a.settings.Mode == settings.Server {
		if err == nil && known.SessionToken != "" {
			err = caller.ErrUnknownKey // a device has no place for the token
		}
		if err != nil {
			return "", who, err
		}
		who.Become(known)
		return secret, who, nil
	}
	if err != nil {
		known = caller.Identity{Account: a.settings.Account}
		if len(id) == 12 && strings.Trim(id, "0123456789") == "" {
			known.Account = id
		}
	}
	who.Become(known)
	return "", who, nil
}

// usualMQTT is where devices connect if the settings do not say.
func (a *App) usualMQTT() string {
	if a.settings.TLS() {
		return "127.0.0.1:8883"
	}
	return "127.0.0.1:1883"
}

// endpointOfDevices is where devices connect, for a client that reached the server at a
// URL. Without a listener for devices it is the address for HTTP.
func (a *App) endpointOfDevices(at string, devices bool) string {
	host := at
	if u, err := url.Parse(at); err == nil && u.Host != "" {
		host = u.Host
	}
	mqtt := a.further.addresses()["mqtt"]
	if !devices || mqtt == "" {
		return host
	}
	name, port, err := net.SplitHostPort(mqtt)
	if ip := net.ParseIP(name); err == nil && (ip == nil || !ip.IsLoopback()) {
		return net.JoinHostPort(name, port)
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return net.JoinHostPort(host, port)
}

// A pressOrder is the body of POST /_plumb/button/SERIAL.
type pressOrder struct {
	placed
	Click   iot.Click `json:"clickType"`
	Voltage string    `json:"batteryVoltage"`
}

// postButton presses a button: once, unless the body or ?click= says otherwise.
func (a *App) postButton(w http.ResponseWriter, r *http.Request) {
	o := pressOrder{Click: iot.Click(r.URL.Query().Get("click"))}
	if r.ContentLength != 0 && !decodeOrder(w, r, &o, `want {"clickType": "SINGLE", "DOUBLE" or "LONG", "batteryVoltage": "2000mV"}, or nothing`) {
		return
	}
	if err := a.machine.Load().IoT.Press(r.Context(), a.placeOf(o.placed), r.PathValue("serial"), o.Click, o.Voltage); err != nil {
		refuse(w, http.StatusBadRequest, plain(err))
		return
	}
	answer(w, map[string]any{"pressed": r.PathValue("serial")})
}
