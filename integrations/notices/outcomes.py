"""What became of a hand-over, as a code, in plain words, and with what to do about it.

`email` and `drop` give the codes; `segin partner handover` shows the words.
"""

from __future__ import annotations

from typing import Final

from states.pathway import Text

OK: Final = "ok"
NO_SERVER: Final = "no_mail_server"
NAME_NOT_FOUND: Final = "name_not_found"
CONNECTION_REFUSED: Final = "connection_refused"
CONNECTION_FAILED: Final = "connection_failed"
CONNECTION_LOST: Final = "connection_lost"
TIMEOUT: Final = "timeout"
TLS_MISSING: Final = "tls_missing"
TLS_FAILED: Final = "tls_failed"
LOGIN_REFUSED: Final = "login_refused"
SENDER_REFUSED: Final = "sender_refused"
RECIPIENT_REFUSED: Final = "recipient_refused"
MESSAGE_REFUSED: Final = "message_refused"
NOT_SURE: Final = "not_sure"
NO_FOLDER: Final = "no_drop_folder"
FOLDER_MISSING: Final = "folder_missing"
WRITING_FAILED: Final = "writing_failed"

OF_THE_SERVER: Final = frozenset(
    {
        *(NO_SERVER, NAME_NOT_FOUND, CONNECTION_REFUSED, CONNECTION_FAILED, TIMEOUT),
        *(TLS_MISSING, TLS_FAILED, LOGIN_REFUSED, SENDER_REFUSED),
    }
)
"""Outcomes that would be the same for every message: the others of the night are not tried."""

NOT_KNOWN: Final = frozenset({NOT_SURE, WRITING_FAILED})
"""Outcomes after which some of it may be there: the next night hands over the very same again."""

WORDS: Final[dict[str, tuple[Text, Text]]] = {
    OK: (Text("remis", "handed over"), Text("Rien à faire.", "Nothing to do.")),
    NO_SERVER: (
        Text("aucun serveur de courriel n'est configuré", "no mail server is set"),
        Text("Donnez SEGIN_SMTP_HOST et SEGIN_SMTP_SENDER.", "Set SEGIN_SMTP_HOST and SEGIN_SMTP_SENDER."),
    ),
    NAME_NOT_FOUND: (
        Text("le nom du serveur de courriel est introuvable (DNS)", "the mail server's name cannot be found (DNS)"),
        Text("Corrigez SEGIN_SMTP_HOST ou la résolution des noms.", "Correct SEGIN_SMTP_HOST or the name service."),
    ),
    CONNECTION_REFUSED: (
        Text("rien n'écoute à l'adresse du serveur de courriel", "nothing listens at the mail server's address"),
        Text("Vérifiez le serveur et SEGIN_SMTP_PORT.", "Check the server and SEGIN_SMTP_PORT."),
    ),
    CONNECTION_FAILED: (
        Text("la connexion au serveur de courriel a échoué", "the connection to the mail server failed"),
        Text("Vérifiez le réseau et le serveur.", "Check the network and the server."),
    ),
    CONNECTION_LOST: (
        Text("le serveur de courriel a coupé avant le message", "the mail server hung up before the message"),
        Text("Rien n'est parti ; la nuit suivante réessaie.", "Nothing left; the next night tries again."),
    ),
    TIMEOUT: (
        Text("le serveur de courriel n'a pas répondu à temps", "the mail server did not answer in time"),
        Text("Rien n'est parti ; la nuit suivante réessaie.", "Nothing left; the next night tries again."),
    ),
    TLS_MISSING: (
        Text("le serveur de courriel ne chiffre pas (STARTTLS)", "the mail server does not encrypt (STARTTLS)"),
        Text("Prenez un serveur qui offre STARTTLS.", "Use a server that offers STARTTLS."),
    ),
    TLS_FAILED: (
        Text("le certificat du serveur de courriel n'est pas valable", "the mail server's certificate is not valid"),
        Text(
            "Corrigez le certificat, ou donnez son autorité avec SEGIN_SMTP_CA_FILE.",
            "Correct the certificate, or name its authority with SEGIN_SMTP_CA_FILE.",
        ),
    ),
    LOGIN_REFUSED: (
        Text("le serveur de courriel refuse nos identifiants", "the mail server refuses our credentials"),
        Text("Corrigez SEGIN_SMTP_USER et SEGIN_SMTP_PASSWORD.", "Correct SEGIN_SMTP_USER and SEGIN_SMTP_PASSWORD."),
    ),
    SENDER_REFUSED: (
        Text("le serveur de courriel refuse notre adresse", "the mail server refuses our address"),
        Text("Corrigez SEGIN_SMTP_SENDER.", "Correct SEGIN_SMTP_SENDER."),
    ),
    RECIPIENT_REFUSED: (
        Text("le serveur de courriel refuse l'adresse du partenaire", "the mail server refuses the partner's address"),
        Text("Demandez la bonne adresse au partenaire.", "Ask the partner for the right address."),
    ),
    MESSAGE_REFUSED: (
        Text("le serveur de courriel refuse le message", "the mail server refuses the message"),
        Text("Voyez sa taille permise et ses règles.", "See what size it allows, and its rules."),
    ),
    NOT_SURE: (
        Text(
            "la connexion s'est rompue après le message : peut-être est-il arrivé",
            "the connection broke after the message: it may have arrived",
        ),
        Text(
            "La nuit suivante envoie le même, sous le même Message-ID.",
            "The next night sends the same again, under the same Message-ID.",
        ),
    ),
    NO_FOLDER: (
        Text("aucun dossier de dépôt n'est configuré", "no drop folder is set"),
        Text("Donnez SEGIN_DROP_DIR.", "Set SEGIN_DROP_DIR."),
    ),
    FOLDER_MISSING: (
        Text("le dossier du partenaire n'existe pas", "the partner's folder is not there"),
        Text(
            "Recréez-le dans SEGIN_DROP_DIR sous le code du partenaire, ou remontez le partage.",
            "Make it again in SEGIN_DROP_DIR under the partner's code, or mount the share.",
        ),
    ),
    WRITING_FAILED: (
        Text("les fichiers n'ont pas pu être écrits", "the files could not be written"),
        Text("Vérifiez les droits et la place sur le disque.", "Check the rights and the space on the disk."),
    ),
}
"""By outcome: what happened, and what to do."""
