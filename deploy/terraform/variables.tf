variable "bucket" {
  description = "The bucket that files are delivered to. Unset: config-ACCOUNT."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Whether the bucket goes with the files that are in it."
  type        = bool
  default     = false
}

variable "role" {
  description = "The name of the recorder's role."
  type        = string
  default     = "config"
}

variable "topic" {
  description = "The ARN of the topic that messages are sent to. Unset: none."
  type        = string
  default     = null
}

variable "resource_types" {
  description = "What is recorded. Empty: all that can be."
  type        = list(string)
  default     = []
}

variable "managed_rules" {
  description = "Rules that AWS manages, by their names."
  type = map(object({
    identifier     = string
    parameters     = optional(map(string), {})
    resource_types = optional(list(string), [])
  }))
  default = {}
}

variable "policies" {
  description = "Rules in the policy language Guard, by their names."
  type = map(object({
    text           = string
    resource_types = list(string)
  }))
  default = {}
}
