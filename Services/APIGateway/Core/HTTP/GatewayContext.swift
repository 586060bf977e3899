package import Hummingbird
import Logging

/// What the server knows of a request beside the request itself: nothing that the gateway needs.
package struct GatewayContext: InitializableFromSource {
    package init(source: ApplicationRequestContextSource) {}
}
