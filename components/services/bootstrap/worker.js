/**
 * Bootstrap Worker of the PULL API.
 *
 * A Worker cannot be provisioned without code, and the first `pulumi up` comes before the
 * application's first release. This module fills that gap: it answers the runbook's health
 * checks and says "not released yet" to everything else. The API's real bundle replaces it
 * through the stack file, which names the path of the module to upload.
 *
 * One ES module, no build step, no dependency, no logging. Binding values never leave it
 * (NODE_ENV, which is no secret, excepted): `/health/detailed` lists binding names only.
 */

const ALLOWED_METHODS = ["GET", "HEAD"];
const RETRY_AFTER_SECONDS = 300;

const HEALTH_ANSWERS = {
  "/health": () => answer(200, { status: "healthy", timestamp: now() }),
  "/health/ready": () => answer(200, { ready: true, timestamp: now() }),
  "/health/live": () => answer(200, { live: true, timestamp: now() }),
  "/health/detailed": detailed,
};

export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    const answerHealth = HEALTH_ANSWERS[pathname];
    if (answerHealth === undefined) {
      return answer(
        503,
        {
          error: "not released yet",
          detail: "Only the health checks answer until the API's first release.",
        },
        { "retry-after": String(RETRY_AFTER_SECONDS) },
      );
    }
    if (!ALLOWED_METHODS.includes(request.method)) {
      const allow = ALLOWED_METHODS.join(", ");
      return answer(405, { error: "method not allowed", allow }, { allow });
    }
    return answerHealth(request, env);
  },
};

async function detailed(request, env) {
  const expected = await secretValue(env.INTERNAL_API_KEY);
  const presented = request.headers.get("x-internal-key");
  // Without the first two conditions an unset key would be opened by an empty header.
  if (!expected || !presented || !(await sameText(expected, presented))) {
    return answer(401, { error: "a valid X-Internal-Key header is required" });
  }
  return answer(200, {
    status: "healthy",
    environment: env.NODE_ENV,
    bindings: Object.keys(env).sort(),
    bootstrap: true,
  });
}

/** Value of a text or a Secrets Store binding; null when it is not bound or not issued yet. */
async function secretValue(binding) {
  if (binding === undefined || typeof binding === "string") {
    return binding ?? null;
  }
  try {
    return await binding.get();
  } catch {
    // The first provision makes the secret before anybody issues its value: get() then throws.
    return null;
  }
}

/** Whether two texts are equal, in a time that tells nothing about either. */
async function sameText(left, right) {
  // timingSafeEqual takes equal lengths only, so it compares digests.
  const [a, b] = await Promise.all([left, right].map(sha256));
  return crypto.subtle.timingSafeEqual(a, b);
}

function sha256(text) {
  return crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
}

function now() {
  return new Date().toISOString();
}

function answer(status, body, headers = {}) {
  return Response.json(body, {
    status,
    headers: { "cache-control": "no-store", "x-pull-bootstrap": "1", ...headers },
  });
}
