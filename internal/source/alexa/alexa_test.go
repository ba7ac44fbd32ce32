package alexa_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"plumb/internal/apptest"
	"plumb/internal/settings"
)

const skill = "amzn1.ask.skill.0b7a5e0c-11f1-4d6f-8c1f-2b1d0d8e1c11"

// speaker answers as a skill does, or as its event's intent says.
const speaker = `import json
def handler(event, context):
    intent = event["request"].get("intent", {}).get("name")
    if intent == "Fail":
        raise Exception("no")
    if intent == "Text":
        return "text"
    if intent == "Long":
        return {"long": "x" * 130000}
    return {"version": "1.0", "sessionAttributes": {"got": event}, "response": {"outputSpeech": {"type": "PlainText", "text": "ok"}, "shouldEndSession": True}}
`

type object = map[string]any

type fixture struct {
	*testing.T
	p        *apptest.Plumb
	function string
	token    string
}

func setUp(t *testing.T, p *apptest.Plumb) *fixture {
	return &fixture{T: t, p: p, function: p.MakeFunction(t, "f", speaker)}
}

func (f *fixture) permit(token *string) {
	f.Helper()
	_, err := f.p.Lambda().AddPermission(f.Context(), &lambda.AddPermissionInput{
		FunctionName: aws.String("f"), StatementId: aws.String("alexa"), Action: aws.String("lambda:InvokeFunction"),
		Principal: aws.String("alexa-appkit.amazon.com"), EventSourceToken: token,
	})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) forbid() {
	f.Helper()
	_, err := f.p.Lambda().RemovePermission(f.Context(), &lambda.RemovePermissionInput{FunctionName: aws.String("f"), StatementId: aws.String("alexa")})
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) send(method, path, body string, header ...string) (*http.Response, string) {
	f.Helper()
	r, err := http.NewRequestWithContext(f.Context(), method, f.p.URL()+path, strings.NewReader(body))
	if err != nil {
		f.Fatal(err)
	}
	if f.token != "" {
		r.Header.Set("Authorization", "Bearer "+f.token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		f.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		f.Fatal(err)
	}
	return res, string(text)
}

func (f *fixture) want(status int, text, method, path, body string, header ...string) {
	f.Helper()
	if res, got := f.send(method, path, body, header...); res.StatusCode != status || !strings.Contains(got, text) {
		f.Errorf("%s %s: %s %s, want %d and %q", method, path, res.Status, got, status, text)
	}
}

const manifestPath = "/v1/skills/" + skill + "/stages/development/manifest"

func manifest(uri string) string {
	return `{"manifest": {"manifestVersion": "1.0", "publishingInformation": {"locales": {"en-US": {"name": "Plumb"}}}, "apis": {"custom": {"endpoint": {"uri": "` + uri + `"}}}}}`
}

// event is a request of Alexa for an intent.
func event(intent string, at time.Time) string {
	text, _ := json.Marshal(object{
		"version": "1.0",
		"session": object{"new": true, "sessionId": "amzn1.echo-api.session.1", "application": object{"applicationId": skill},
			"attributes": object{}, "user": object{"userId": "amzn1.ask.account.1"}},
		"context": object{"System": object{"application": object{"applicationId": skill}, "user": object{"userId": "amzn1.ask.account.1"},
			"device": object{"deviceId": "d", "supportedInterfaces": object{}}, "apiEndpoint": "https://api.amazonalexa.com", "apiAccessToken": "t"}},
		"request": object{"type": "IntentRequest", "requestId": "amzn1.echo-api.request.1", "timestamp": at.UTC().Format(time.RFC3339), "locale": "en-US",
			"intent":      object{"name": intent, "confirmationStatus": "NONE", "slots": object{"S": object{"name": "S", "value": "größe", "confirmationStatus": "NONE"}}},
			"dialogState": "STARTED"},
	})
	return string(text)
}

func TestSkillIsAnsweredByTheFunctionOfItsManifest(t *testing.T) {
	apptest.Run(t, func(t *testing.T, p *apptest.Plumb) {
		f := setUp(t, p)
		body := event("Greet", time.Now())
		f.want(404, "There is no skill "+skill, "POST", "/alexa/"+skill, body)
		res, _ := f.send("PUT", manifestPath, manifest(f.function))
		if res.StatusCode != 202 || res.Header.Get("Location") != "/v1/skills/"+skill+"/status?resource=manifest" {
			t.Fatalf("put: %s %v", res.Status, res.Header)
		}
		f.want(200, `"status":"SUCCEEDED"`, "GET", "/v1/skills/"+skill+"/status?resource=manifest", "")
		f.want(403, "event source token "+skill, "POST", "/alexa/"+skill, body)
		f.permit(aws.String(skill))
		p.Restart(t)
		res, text := f.send("POST", "/alexa/"+skill, body)
		var got, sent object
		if err := json.Unmarshal([]byte(text), &got); err != nil || res.StatusCode != 200 || got["version"] != "1.0" {
			t.Fatalf("%s %s", res.Status, text)
		}
		_ = json.Unmarshal([]byte(body), &sent)
		a, _ := json.Marshal(got["sessionAttributes"].(object)["got"])
		b, _ := json.Marshal(sent)
		if !bytes.Equal(a, b) {
			t.Errorf("the function got %s, want %s", a, b)
		}
		f.want(200, `"manifestVersion":"1.0"`, "GET", manifestPath, "")
		f.want(204, "", "DELETE", "/v1/skills/"+skill, "")
		f.want(404, "There is no skill", "GET", manifestPath, "")
		f.want(404, "There is no skill", "DELETE", "/v1/skills/"+skill, "")
		f.want(404, "There is no skill", "POST", "/alexa/"+skill, body)
	})
}

func TestTokenOfThePermissionIsTheSkills(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.send("PUT", manifestPath, manifest(f.function))
	body := event("Greet", time.Now())
	for _, c := range []struct {
		token *string
		want  int
	}{{aws.String(skill), 200}, {nil, 200}, {aws.String("amzn1.ask.skill.other"), 403}} {
		f.permit(c.token)
		f.want(c.want, "", "POST", "/alexa/"+skill, body)
		f.forbid()
		f.want(403, "The trigger setting for the Lambda "+f.function+" is invalid", "POST", "/alexa/"+skill, body)
	}
}

func TestAnswersThatAreNoneAreBadGateways(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	f.permit(aws.String(skill))
	f.send("PUT", manifestPath, manifest(f.function))
	for intent, want := range map[string]string{
		"Fail": "The function failed.", "Text": "The function's answer is not an object in JSON.", "Long": "The function's answer is longer than 122880 bytes.",
	} {
		f.want(502, want, "POST", "/alexa/"+skill, event(intent, time.Now()))
	}
	f.want(400, "the body is not an object in JSON", "POST", "/alexa/"+skill, "[]")
	f.want(400, "the body is not a request of Alexa", "POST", "/alexa/"+skill, `{"session": 5}`)
	f.want(400, `the request is for the application \"other\"`, "POST", "/alexa/"+skill, `{"session": {"application": {"applicationId": "other"}}}`)
	f.want(413, "262144 bytes", "POST", "/alexa/"+skill, strings.Repeat("x", 300<<10))
}

func TestManifestsThatCannotWorkAreRefused(t *testing.T) {
	f := setUp(t, apptest.Start(t))
	for body, want := range map[string]string{
		`{`:                                   "The body is not JSON",
		`{}`:                                  "The body needs the member manifest",
		`{"manifest": null}`:                  "The body needs the member manifest",
		`{"manifest": {"apis": 5}}`:           "The manifest is not as Alexa has it",
		manifest("https://skill.example/end"): "is not the ARN of a function",
	} {
		f.want(400, want, "PUT", manifestPath, body)
	}
	f.want(413, "262144", "PUT", manifestPath, strings.Repeat(" ", 300<<10))
	f.want(404, "The stage live is not served here", "PUT", "/v1/skills/x/stages/live/manifest", manifest(f.function))
	f.want(400, "The id of a skill", "PUT", "/v1/skills/a%20b/stages/development/manifest", manifest(f.function))
	f.want(404, "is not served here", "GET", "/v1/skills/x/interactionModel", "")
	f.want(404, "There is no skill", "GET", manifestPath, "")
	f.want(202, "", "PUT", manifestPath, `{"manifest": {"apis": {"custom": {}}}}`)
	f.want(502, "names no function", "POST", "/alexa/"+skill, event("Greet", time.Now()))
	f.want(202, "", "PUT", manifestPath, `{"manifest": {"apis": {"custom": {"regions": {"EU": {"endpoint": {"uri": "`+f.function+`"}}}}}}}`)
	f.permit(nil)
	f.want(200, "ok", "POST", "/alexa/"+skill, event("Greet", time.Now()))
}

// A signer has a certificate as Alexa's, from an authority of its own.
type signer struct{ key *rsa.PrivateKey }

const chainURL = "https://s3.amazonaws.com/echo.api/echo-api-cert-12.pem"

// newSigner leaves the chain and the authority in a folder.
func newSigner(t *testing.T, folder, name string, until time.Time) signer {
	authority, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: until}
	var chain, roots bytes.Buffer
	write := func(out *bytes.Buffer, c *x509.Certificate, of *rsa.PrivateKey) {
		der, err := x509.CreateCertificate(rand.Reader, c, root, of.Public(), authority)
		if err != nil {
			t.Fatal(err)
		}
		if err := pem.Encode(out, &pem.Block{Type: "CERTIFICATE", Bytes: der}); err != nil {
			t.Fatal(err)
		}
	}
	write(&chain, leaf, key)
	write(&roots, root, authority)
	for file, text := range map[string][]byte{"echo-api-cert-12.pem": chain.Bytes(), "roots.pem": roots.Bytes()} {
		if err := os.WriteFile(filepath.Join(folder, file), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return signer{key}
}

func (s signer) sign(body string) string {
	sum := sha256.Sum256([]byte(body))
	out, _ := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	return base64.StdEncoding.EncodeToString(out)
}

// serverMode is a server that asks Alexa for signatures and others for a token.
func serverMode(t *testing.T, folder string) *fixture {
	const id, secret = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY"
	p := apptest.Start(t, func(s *settings.Settings) {
		s.Mode, s.AccessKeys = settings.Server, []settings.AccessKey{{ID: id, Secret: settings.Secret(secret), Account: s.Account}}
		s.ControlToken, s.AlexaCertificates = "a-token-that-nobody-guesses", folder
	}).Signing(id, secret)
	f := setUp(t, p)
	f.permit(aws.String(skill))
	f.want(401, "control-token", "PUT", manifestPath, manifest(f.function))
	f.token = "a-token-that-nobody-guesses"
	f.want(202, "", "PUT", manifestPath, manifest(f.function))
	f.token = ""
	return f
}

func TestServerModeHoldsRequestsAgainstAlexasSignature(t *testing.T) {
	folder := t.TempDir()
	s := newSigner(t, folder, "echo-api.amazon.com", time.Now().Add(time.Hour))
	f := serverMode(t, folder)
	body := event("Greet", time.Now())
	good := s.sign(body)
	f.want(200, "ok", "POST", "/alexa/"+skill, body, "SignatureCertChainUrl", chainURL, "Signature-256", good)
	f.want(200, "ok", "POST", "/alexa/"+skill, body, "SignatureCertChainUrl", "HTTPS://S3.amazonaws.com:443/echo.api/../echo.api/echo-api-cert-12.pem", "Signature-256", good)
	for name, c := range map[string]struct{ url, signature, body, want string }{
		"unsigned":       {"", "", body, "the request is not signed"},
		"another body":   {chainURL, good, strings.Replace(body, "Greet", "Other", 1), "the signature does not hold"},
		"no base64":      {chainURL, "%", body, "is not base64"},
		"plain":          {"http://s3.amazonaws.com/echo.api/echo-api-cert-12.pem", good, body, "is not https"},
		"another host":   {"https://notamazon.com/echo.api/echo-api-cert-12.pem", good, body, "is not at s3.amazonaws.com"},
		"another path":   {"https://s3.amazonaws.com/EcHo.aPi/echo-api-cert-12.pem", good, body, "is not below /echo.api/"},
		"a way out":      {"https://s3.amazonaws.com/echo.api/../invalid/echo-api-cert-12.pem", good, body, "is not below /echo.api/"},
		"another port":   {"https://s3.amazonaws.com:563/echo.api/echo-api-cert-12.pem", good, body, "another port than 443"},
		"old":            {chainURL, s.sign(event("Greet", time.Now().Add(-151*time.Second))), event("Greet", time.Now().Add(-151*time.Second)), "not within 150 seconds"},
		"from tomorrow":  {chainURL, s.sign(event("Greet", time.Now().Add(160*time.Second))), event("Greet", time.Now().Add(160*time.Second)), "not within 150 seconds"},
		"no timestamp":   {chainURL, "", `{"session": {"application": {"applicationId": "` + skill + `"}}}`, "no timestamp"},
		"no application": {chainURL, "", `{}`, `the request is for the application \"\"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, p: f.p}
			f.want(400, c.want, "POST", "/alexa/"+skill, c.body, "SignatureCertChainUrl", c.url, "Signature-256", c.signature)
		})
	}
}

func TestCertificateHasToBeAlexas(t *testing.T) {
	for name, until := range map[string]time.Time{"echo-api.amazon.example": time.Now().Add(time.Hour), "echo-api.amazon.com": time.Now().Add(-time.Minute)} {
		folder := t.TempDir()
		s := newSigner(t, folder, name, until)
		f := serverMode(t, folder)
		body := event("Greet", time.Now())
		f.want(400, "the certificate does not hold", "POST", "/alexa/"+skill, body, "SignatureCertChainUrl", chainURL, "Signature-256", s.sign(body))
	}
	folder := t.TempDir()
	s := newSigner(t, folder, "echo-api.amazon.com", time.Now().Add(time.Hour))
	newSigner(t, t.TempDir(), "echo-api.amazon.com", time.Now().Add(time.Hour))
	other := t.TempDir()
	newSigner(t, other, "echo-api.amazon.com", time.Now().Add(time.Hour))
	roots, err := os.ReadFile(filepath.Join(other, "roots.pem"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "roots.pem"), roots, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	f := serverMode(t, folder)
	body := event("Greet", time.Now())
	f.want(400, "unknown authority", "POST", "/alexa/"+skill, body, "SignatureCertChainUrl", chainURL, "Signature-256", s.sign(body))
}
