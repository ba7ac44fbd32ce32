package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"plumb/internal/config"
	"plumb/internal/db"
	"plumb/internal/db/dbtest"
)

// What is stored is read by later versions: its bytes do not change.
func TestStoredFormsStayAsTheyAre(t *testing.T) {
	at := time.UnixMicro(1)
	e := Entity{
		Account: "1", Kind: Role, Name: "n", ID: "i", Path: "/", Created: at, Updated: at, Description: "d", Trust: "t", MaxSession: 1, Service: "s",
		Boundary: "b", Default: 2, Latest: 3, Login: &Login{Created: at, Reset: true}, Tags: map[string]string{"k": "v"},
	}
	golden := map[string]any{
		`{"name":"n","created":1,"updated":1,"description":"d","trust":"t","maxSession":1,"service":"s","default":2,"latest":3,"login":{"created":1,"reset":true},"tags":{"k":"v"}}`: e.form(),
		`{"minimumLength":1,"symbols":true,"numbers":true,"uppercase":true,"lowercase":true,"usersMayChange":true,"maxAge":2,"reusePrevention":3,"hardExpiry":true}`:                 passwordForm{1, true, true, true, true, true, 2, 3, new(true)},
	}
	for want, v := range golden {
		if got, err := json.Marshal(v); err != nil || string(got) != want {
			t.Errorf("got %s, %v\nwant %s", got, err, want)
		}
	}
	back := Entity{Account: e.Account, Kind: e.Kind, ID: e.ID, Path: e.Path, Boundary: e.Boundary}
	e.form().fill(&back)
	if !reflect.DeepEqual(back.form(), e.form()) {
		t.Errorf("read back: %+v", back)
	}
}

func TestEveryDocumentOfAWSsPoliciesCanBeRead(t *testing.T) {
	if len(managed()) < 170 {
		t.Errorf("%d policies", len(managed()))
	}
	for policyARN, m := range managed() {
		if err := CheckDocument(m.document()); err != nil {
			t.Errorf("%s: %v", policyARN, err)
		}
		if strings.ContainsAny(policyARN, " \t\n") {
			t.Errorf("%s is named wrongly", policyARN)
		}
	}
	for _, name := range []string{
		"AdministratorAccess", "ReadOnlyAccess", "service-role/AWSConfigRole", "service-role/AWS_ConfigRole", "service-role/AWSLambdaBasicExecutionRole",
		"service-role/AWSConfigRulesExecutionRole", "aws-service-role/AWSConfigServiceRolePolicy",
	} {
		if _, ok := ManagedByAWS(awsPolicy + name); !ok {
			t.Errorf("%s is missing", name)
		}
	}
}

const (
	anyone = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`
	all    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
)

// Whatever changes an identity says so in its transaction, and raises the revision
// by which caches know.
func TestEveryChangeIsAnnouncedAndRaisesTheRevision(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		var told []string
		s := New(time.Now, Options{Announce: func(_ context.Context, _ *db.Tx, key config.ResourceKey) error {
			told = append(told, key.Type)
			return nil
		}})
		const a = "111111111111"
		last := int64(0)
		ctx := t.Context()
		step := func(want string, do func(tx *db.Tx) error) {
			t.Helper()
			told = nil
			if err := d.Write(ctx, do); err != nil {
				t.Fatal(err)
			}
			var n int64
			if err := d.Read(ctx, func(tx *db.Tx) (err error) { n, err = Revision(ctx, tx, a); return err }); err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(fmt.Sprint(told), "AWS::IAM::", ""); got != want || n <= last {
				t.Errorf("announced %s, want %s; revision %d after %d", got, want, n, last)
			}
			last = n
		}
		own := "arn:aws:iam::" + a + ":policy/p"
		step("[Role]", func(tx *db.Tx) error {
			_, err := s.Create(ctx, tx, Entity{Account: a, Kind: Role, Name: "r", Trust: anyone})
			return err
		})
		step("[Policy]", func(tx *db.Tx) error {
			_, err := s.CreatePolicy(ctx, tx, Entity{Account: a, Kind: Policy, Name: "p"}, all)
			return err
		})
		step("[User]", func(tx *db.Tx) error {
			_, err := s.Create(ctx, tx, Entity{Account: a, Kind: User, Name: "u"})
			return err
		})
		step("[Group]", func(tx *db.Tx) error {
			_, err := s.Create(ctx, tx, Entity{Account: a, Kind: Group, Name: "g"})
			return err
		})
		step("[Group User]", func(tx *db.Tx) error { return s.Join(ctx, tx, a, Group, "g", "u") })
		step("[Role Policy]", func(tx *db.Tx) error { return s.Attach(ctx, tx, a, Role, "r", own) })
		step("[Role]", func(tx *db.Tx) error { return s.PutInline(ctx, tx, a, Role, "r", Inline{"i", all}) })
		step("[Policy]", func(tx *db.Tx) error {
			_, _, err := s.AddVersion(ctx, tx, a, own, all, true)
			return err
		})
		step("[User]", func(tx *db.Tx) error {
			_, _, err := s.CreateKey(ctx, tx, a, "u")
			return err
		})
		step("[Role Policy]", func(tx *db.Tx) error { return s.Detach(ctx, tx, a, Role, "r", own) })
		step("[Role]", func(tx *db.Tx) error { return s.DeleteInline(ctx, tx, a, Role, "r", "i") })
		step("[Role]", func(tx *db.Tx) error { return s.Delete(ctx, tx, a, Role, "r") })
	})
}

func TestSecretsOfAccessKeysAreSealed(t *testing.T) {
	dbtest.Run(t, func(t *testing.T, d *db.DB) {
		if err := d.SealWith("a key that nobody else has, long enough"); err != nil {
			t.Fatal(err)
		}
		ctx, s := t.Context(), New(time.Now, Options{})
		err := d.Write(ctx, func(tx *db.Tx) error {
			if _, err := s.Create(ctx, tx, Entity{Account: "111111111111", Kind: User, Name: "u"}); err != nil {
				return err
			}
			k, _, err := s.CreateKey(ctx, tx, "111111111111", "u")
			if err != nil {
				return err
			}
			var kept string
			if err := tx.QueryRow(ctx, `SELECT secret FROM identity_key WHERE id = ?`, k.ID).Scan(&kept); err != nil {
				return err
			}
			found, err := FindKey(ctx, tx, k.ID)
			if strings.Contains(kept, k.Secret) || found.Secret != k.Secret {
				t.Errorf("kept %q, found %q", kept, found.Secret)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzCheckDocument(f *testing.F) {
	f.Add(all)
	f.Add(anyone)
	f.Add(`{"Statement":[{"Action":{"a":[1]}}]}`)
	f.Fuzz(func(_ *testing.T, text string) {
		_ = CheckDocument(text)
		_ = checkTrust(Entity{Trust: text})
	})
}
