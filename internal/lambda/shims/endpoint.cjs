'use strict';
// Makes the AWS SDK for JavaScript v2 follow AWS_ENDPOINT_URL and
// AWS_ENDPOINT_URL_<SERVICE>, which it does not read itself, and sends clients
// that name AWS's own endpoints there too. It waits for the SDK's core to load,
// however it is loaded, and wraps what makes a client.
const Module = require('node:module');

const load = Module._load;
Module._load = function (request, parent) {
  const loaded = load.apply(this, arguments);
  if (request === './service' && parent && /aws-sdk[\\/]lib[\\/]core\.js$/.test(parent.filename ?? '')) {
    wrap(parent.exports);
  }
  return loaded;
};

function target(serviceId) {
  const name = (serviceId ?? '').toUpperCase().replace(/[^A-Z0-9]+/g, '_');
  return process.env['AWS_ENDPOINT_URL_' + name] || process.env.AWS_ENDPOINT_URL;
}

function isAws(endpoint) {
  const text = typeof endpoint === 'string' ? endpoint : (endpoint.hostname ?? '');
  return /\.amazonaws\.com(\.cn)?(:\d+)?(\/|$)/.test(text);
}

function wrap(AWS) {
  const initialize = AWS.Service.prototype.initialize;
  AWS.Service.prototype.initialize = function (config) {
    const given = config?.endpoint ?? AWS.config.endpoint;
    const api = this.api ?? this.constructor.prototype.api;
    const url = process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true' ? undefined : target(api?.serviceId);
    if (url && (!given || isAws(given))) {
      config = Object.assign({}, config, { endpoint: url, s3ForcePathStyle: true });
    }
    return initialize.call(this, config);
  };
}
