"""What can go wrong with a sign-in, below the one tree of errors.

    ConfigurationError
    ├── StoreError                      where tokens are kept: nothing there was changed
    │   ├── StoreUnreadableError
    │   └── StoreUnwritableError
    └── CallbackPortError               nobody can listen where the browser is to return to
    AccessError
    ├── NotSignedInError
    ├── SignInRefusedError              the person or the provider said no
    ├── SignInFailedError               what came back cannot be trusted or used
    │   └── CallbackRefusedError            it is not the answer to this sign-in
    └── SignInExpiredError              only a new sign-in helps
    ServiceError
    ├── ProviderUnavailableError
    └── LeaseTimeoutError               another process holds the sign-in

None of them deletes a token: whoever was signed in before is so afterwards, as far as the provider goes along.
"""

from ..llm.errors import AccessError, ConfigurationError, ServiceError


class StoreError(ConfigurationError):
    """The place where tokens are kept cannot be used."""


class StoreUnreadableError(StoreError):
    """Tokens may be there, but cannot be read. Nothing is written over them."""


class StoreUnwritableError(StoreError):
    """Tokens cannot be kept anywhere."""


class CallbackPortError(ConfigurationError):
    """All ports that the browser may return to are taken."""


class NotSignedInError(AccessError):
    """There are no tokens for this account on this machine."""


class SignInRefusedError(AccessError):
    """The person declined, or the provider did not let them in."""


class SignInFailedError(AccessError):
    """What the provider or the browser gave back cannot be trusted or used."""


class CallbackRefusedError(SignInFailedError):
    """An address that is not the answer to this sign-in; the sign-in goes on waiting for the right one."""


class SignInExpiredError(AccessError):
    """The provider takes neither the access token nor the refresh token any more."""


class ProviderUnavailableError(ServiceError):
    """The sign-in server could not be reached, or failed."""


class LeaseTimeoutError(ServiceError):
    """Another process has been at this account's tokens for longer than a renewal takes."""
