package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"plumb/documents"
	"plumb/internal/arn"
	"plumb/internal/automation"
	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/lambda/environment"
	"plumb/internal/model/ssmapi"
	"plumb/internal/outside"
	"plumb/internal/remediation"
)

// addAutomation makes what runs Automation documents, and remediations by them.
func (m *Machine) addAutomation() error {
	folder, err := automation.NewFolder(documents.FS)
	if err != nil {
		return fmt.Errorf("documents: %w", err)
	}
	caller := outside.NewCaller(m.Outside, m.Embedded)
	m.Automation = automation.New(m.log, automation.Options{
		DB: m.DB, Jobs: m.Jobs, Catalogue: folder, Now: m.Clock.Now,
		Ended: func(ctx context.Context, tx *db.Tx, x automation.Execution) error {
			return m.Remediation.Ended(ctx, tx, x)
		},
		Services: automation.Services{
			Script: m.runScript,
			Call: func(ctx context.Context, p config.Place, _, service, operation string, in map[string]any) (map[string]any, error) {
				return caller.Call(ctx, p, service, operation, in)
			},
		},
	})
	m.Remediation = remediation.New(m.log, remediation.Options{
		DB: m.DB, Jobs: m.Jobs, Automation: m.Automation, Announce: m.changed, Now: m.Clock.Now,
		Elsewhere: func(p config.Place) bool { return m.Outside.Replaces(p, "ssm") },
		Call: func(ctx context.Context, p config.Place, operation string, in map[string]any) (map[string]any, error) {
			return m.callOutside(ctx, p, "ssm", operation, in)
		},
	})
	return nil
}

const (
	scriptMemory  = 512 // MiB, of memory and of /tmp
	scriptGroup   = "/aws/ssm/automation/executeScript"
	scriptsFolder = "scripts" // of Automation documents; a cache
)

// runScript runs the script of a document where functions run.
func (m *Machine) runScript(ctx context.Context, p config.Place, s automation.Script) ([]byte, error) {
	if !strings.HasPrefix(s.Runtime, "python") {
		return nil, fmt.Errorf("the runtime %s is not one that scripts run in here: python3.x", s.Runtime)
	}
	sum := sha256.Sum256([]byte(s.Text))
	key := hex.EncodeToString(sum[:])
	folder, err := m.scriptFolder(key, s.Text)
	if err != nil {
		return nil, fmt.Errorf("keep the script: %w", err)
	}
	name := "automation-script-" + key[:12]
	role := s.Role
	if role == "" {
		role = arn.New("iam", "", p.Account, "role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM").String()
	}
	function := arn.New("lambda", p.Region, p.Account, "function:"+name).String()
	res, err := m.pool.Invoke(ctx, environment.Version{
		Key: strings.Join([]string{"script", p.String(), key, s.Handler, role}, "\x00"), Function: function, Name: name, Number: "$LATEST",
		Account: p.Account, Region: p.Region, Role: role, Runtime: "python3.12", Handler: "index." + s.Handler, Code: folder,
		Timeout: s.Limit, Memory: scriptMemory, Ephemeral: scriptMemory, LogGroup: scriptGroup, LogFormat: "Text",
	}, environment.Invocation{RequestID: key[:32], FunctionARN: function, Payload: s.Payload})
	if err != nil {
		return nil, err
	}
	if res.FunctionError != "" {
		var failure struct {
			Type    string `json:"errorType"`
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(res.Payload, &failure) != nil {
			return nil, errors.New("the script failed: " + string(res.Payload))
		}
		if res.Cause != "" {
			failure.Message += ": " + res.Cause
		}
		return nil, fmt.Errorf("the script failed: %s: %s", failure.Type, failure.Message)
	}
	return res.Payload, nil
}

// scriptFolder returns the folder that a script lies in.
func (m *Machine) scriptFolder(key, text string) (string, error) {
	folder := filepath.Join(m.folder(scriptsFolder), key)
	file := filepath.Join(folder, "index.py")
	if _, err := os.Stat(file); err == nil {
		return folder, nil
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	whole, err := os.CreateTemp(folder, ".index-*")
	if err != nil {
		return "", err
	}
	_, err = whole.WriteString(text)
	err = errors.Join(err, whole.Chmod(0o644), whole.Close())
	if err == nil {
		err = os.Rename(whole.Name(), file) // none is seen half-written
	}
	return folder, err
}

// packDocument returns the text of a document that a conformance pack is made of.
func (m *Machine) packDocument(ctx context.Context, p config.Place, d config.PackDocument) (string, error) {
	var found automation.Stored
	err := m.DB.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = m.Automation.Document(ctx, tx, p, d.Name, d.Version)
		return err
	})
	if errors.Is(err, automation.ErrNotFound) {
		return "", ssmapi.InvalidDocument("Document with name %s does not exist.", d.Name)
	}
	return found.Content, err
}
