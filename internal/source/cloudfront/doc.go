// Package cloudfront has the distributions of CloudFront, and answers requests for their
// domain names: a reverse proxy before the origins, with a small cache and with the
// functions (Lambda@Edge) that a cache behavior names for its four events.
//
// It is not CloudFront's API: api/cloudfront speaks that.
//
// A request is matched with a cache behavior and shown to the function of viewer-request.
// What the cache has is answered from there; else the function of origin-request sees it,
// the origin is asked, and the function of origin-response sees the answer before it is
// cached. The function of viewer-response sees what goes out. Any function of a request
// may answer itself.
//
// It keeps cloudfront_distributions, cloudfront_names and cloudfront_invalidations. The
// cache is in memory, of each server: another one asks the origin. A request reads its
// distribution anew, and with it which invalidations its server has yet to apply.
//
//	s := cloudfront.New(d, now)
//	p := cloudfront.NewProxy(log, s, functions, cloudfront.Options{Client: client, Object: object})
//	if p.Serves(r) {
//		p.ServeHTTP(w, r)
//	}
package cloudfront
