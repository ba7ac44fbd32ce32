package hostname

import "testing"

func TestAddressesAreFoundBehindWhatClientsPutInFront(t *testing.T) {
	for name, want := range map[string]string{
		"123456789012.127.0.0.1": "127.0.0.1", "sync-127.0.0.1": "127.0.0.1", "data-a.b-10.1.2.3.": "10.1.2.3", "a.b.127.0.0.1": "127.0.0.1",
		"127.0.0.1": "", "": "", "a.example.com": "", "x.127.0.0.256": "", "127.0.0.1.example.com": "", "-127.0.0.1": "127.0.0.1", "x.0.0.1": "", "a-.0.0.1": "",
	} {
		a, ok := Behind(name)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q: %v, %v", name, a, ok)
		}
	}
}
