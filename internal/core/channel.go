package core

import (
	"net/http"

	"plumb/internal/channel"
	"plumb/internal/mail"
)

// addChannels makes what tells people: mail, and the channels of the settings. client
// reaches what outgoing-networks allows.
func (m *Machine) addChannels(client *http.Client) (err error) {
	s := m.options.Settings
	m.mailer = mail.New(mail.Options{
		Server: s.SMTPServer, From: s.SMTPFrom, User: s.SMTPUser, Password: s.SMTPPassword.Reveal(), Security: s.SMTPSecurity,
	})
	m.channels, err = channel.New(s.Channels, channel.Options{Client: client, Mail: m.mailer, Link: m.options.ResourcePage, Now: m.Clock.Now})
	return err
}

// Channels are the channels of the settings.
func (m *Machine) Channels() *channel.Channels { return m.channels }
