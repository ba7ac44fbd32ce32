package bucket

import (
	"net/http"

	"plumb/internal/model"
)

// The errors of S3, in its words, as far as the store knows when they are due.
// Those of requests (a bad header, a bad body) are in api/s3.

func fault(status int, code, message string) *model.Error {
	return &model.Error{Code: code, Status: status, Message: message}
}

// InvalidBucketName says that a bucket cannot have this name.
func InvalidBucketName(name string) error {
	return fault(http.StatusBadRequest, "InvalidBucketName", "The specified bucket is not valid.").With("BucketName", name)
}

// NoSuchBucket says that nobody has a bucket of this name.
func NoSuchBucket(name string) error {
	return fault(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist").With("BucketName", name)
}

func isNoSuchBucket(err error) bool { return model.IsCode(err, "NoSuchBucket") }

// BucketAlreadyOwnedByYou says that the account has this bucket already.
func BucketAlreadyOwnedByYou(name string) error {
	return fault(http.StatusConflict, "BucketAlreadyOwnedByYou",
		"Your previous request to create the named bucket succeeded and you already own it.").With("BucketName", name)
}

// BucketAlreadyExists says that another account has this bucket.
func BucketAlreadyExists(name string) error {
	return fault(http.StatusConflict, "BucketAlreadyExists",
		"The requested bucket name is not available. The bucket namespace is shared by all users of the system. "+
			"Please select a different name and try again.").With("BucketName", name)
}

// BucketNotEmpty says that a bucket with objects, or with old versions of them,
// cannot be deleted.
func BucketNotEmpty(name string, versionsOnly bool) error {
	text := "The bucket you tried to delete is not empty"
	if versionsOnly {
		text += ". You must delete all versions in the bucket."
	}
	return fault(http.StatusConflict, "BucketNotEmpty", text).With("BucketName", name)
}

// AccessDenied says that the bucket is somebody else's.
func AccessDenied() error {
	return fault(http.StatusForbidden, "AccessDenied", "Access Denied")
}

// NoSuchKey says that the bucket has no such object.
func NoSuchKey(key string) error {
	return fault(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.").With("Key", key)
}

// NoSuchVersion says that the object has no such version.
func NoSuchVersion(key, version string) error {
	return fault(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.").
		With("Key", key).With("VersionId", version)
}

// MethodNotAllowed says that a delete marker cannot be read.
func MethodNotAllowed() *model.Error {
	return fault(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.").
		With("ResourceType", "DeleteMarker")
}

// PreconditionFailed says which condition of a request did not hold.
func PreconditionFailed(condition string) error {
	return fault(http.StatusPreconditionFailed, "PreconditionFailed",
		"At least one of the pre-conditions you specified did not hold").With("Condition", condition)
}

// NoSuchUpload says that a multipart upload was never begun, or is over.
func NoSuchUpload(id string) error {
	return fault(http.StatusNotFound, "NoSuchUpload",
		"The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.").
		With("UploadId", id)
}

// InvalidPart says that a part to complete is not there as described.
func InvalidPart(upload string, number int, etag string) error {
	return fault(http.StatusBadRequest, "InvalidPart", "One or more of the specified parts could not be found.  "+
		"The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.").
		With("UploadId", upload).With("PartNumber", number).With("ETag", etag)
}

// InvalidPartOrder says that parts are not listed in ascending order.
func InvalidPartOrder(upload string) error {
	return fault(http.StatusBadRequest, "InvalidPartOrder",
		"The list of parts was not in ascending order. Parts must be ordered by part number.").With("UploadId", upload)
}

// EntityTooSmall says that a part that is not the last is under 5 MiB.
func EntityTooSmall(number int, size int64, etag string) error {
	return fault(http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size").
		With("PartNumber", number).With("ProposedSize", size).With("MinSizeAllowed", int64(minPart)).With("ETag", etag)
}

// BadChecksum says that a checksum that was promised is not the one computed.
func BadChecksum(algorithm string) error {
	return fault(http.StatusBadRequest, "BadDigest", "The "+algorithm+" you specified did not match the calculated checksum.")
}
