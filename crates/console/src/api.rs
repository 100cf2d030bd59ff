//! The OpenAPI document, made from the handlers and their types.

use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::{admin, customers, events, kpis, partitions, signals, timeline};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(title = "Bellwether", description = "Events in, and what is known of customers out. Refusals are problem details (RFC 9457).",
        license(name = "Apache-2.0", identifier = "Apache-2.0")),
    paths(
        events::take,
        customers::list,
        customers::one,
        timeline::of,
        signals::list,
        kpis::now,
        partitions::list,
        admin::pause,
        admin::resume,
        admin::log_level
    ),
    modifiers(&BearerTokens)
)]
struct Document;

struct BearerTokens;

impl Modify for BearerTokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    }
}

/// The document as it is served.
pub(crate) fn document() -> utoipa::openapi::OpenApi {
    Document::openapi()
}
