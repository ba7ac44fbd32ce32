package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// healthWithin is how long a server may take to say that it is well.
const healthWithin = 4 * time.Second

func newHealthCommand() *cobra.Command {
	var endpoint string
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a server whether it answers, for health checks of containers",
		Long: `Health asks /readyz of the server that the settings describe, or of --endpoint, and ends with 0 if the server is ready.
It does not ask who signed the server's certificate.`,
		Args: cobra.NoArgs,
	}
	load := addSettings(cmd, "settings", "listen", "tls-certificate", "tls-key")
	cmd.Flags().StringVar(&endpoint, "endpoint", "", "`URL` of the server (default: made of the listen setting)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if endpoint == "" {
			s, err := load()
			if err != nil {
				return err
			}
			if endpoint, err = onLoopback(s.URL()); err != nil {
				return err
			}
		}
		client := http.Client{Timeout: healthWithin, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		answer, err := client.Get(strings.TrimSuffix(endpoint, "/") + "/readyz")
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(io.LimitReader(answer.Body, 1<<10))
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", answer.Status, strings.TrimSpace(string(body)))
		}
		if err == nil {
			_, err = cmd.OutOrStdout().Write(body)
		}
		return err
	}
	return cmd
}

// onLoopback is where this machine reaches a server that listens on every interface.
func onLoopback(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "" || ip != nil && ip.IsUnspecified() {
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	}
	return u.String(), nil
}
