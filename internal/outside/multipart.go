package outside

import (
	"context"
	"fmt"
	"io"
	"time"

	"plumb/internal/awsclient"
)

// partSize is how much of an object is in memory at once, and the size from which on
// it is uploaded in parts. S3 takes 10,000 of them.
const partSize = 16 << 20

// putParts uploads an object in parts. in is what a PutObject would have, without the
// body. An upload that fails is aborted, so that its parts cost nobody anything.
func putParts(ctx context.Context, client *awsclient.Client, in map[string]any, body io.Reader, size int64) error {
	began, err := client.Call(ctx, "s3", "CreateMultipartUpload", in)
	if err != nil {
		return err
	}
	upload := map[string]any{"Bucket": in["Bucket"], "Key": in["Key"], "UploadId": began["UploadId"]}
	parts, err := sendParts(ctx, client, upload, body, size)
	if err == nil {
		done := with(upload, "MultipartUpload", map[string]any{"Parts": parts})
		_, err = client.Call(ctx, "s3", "CompleteMultipartUpload", done)
	}
	if err == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if _, aborted := client.Call(ctx, "s3", "AbortMultipartUpload", upload); aborted != nil {
		err = fmt.Errorf("%w (and the upload stays: %v)", err, aborted)
	}
	return err
}

func sendParts(ctx context.Context, client *awsclient.Client, upload map[string]any, body io.Reader, size int64) (parts []any, err error) {
	buffer := make([]byte, partSize)
	for n := 1; size > 0; n++ {
		part := buffer[:min(size, partSize)]
		if _, err := io.ReadFull(body, part); err != nil {
			return nil, fmt.Errorf("read what is to be delivered: %w", err)
		}
		in := with(upload, "Body", part)
		in["PartNumber"] = n
		out, err := client.Call(ctx, "s3", "UploadPart", in)
		if err != nil {
			return nil, err
		}
		parts = append(parts, map[string]any{"ETag": out["ETag"], "PartNumber": n})
		size -= int64(len(part))
	}
	return parts, nil
}

// with returns a copy of a request with one member more.
func with(in map[string]any, name string, value any) map[string]any {
	out := map[string]any{name: value}
	for k, v := range in {
		out[k] = v
	}
	return out
}
