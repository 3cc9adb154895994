"""Why a row gets its probability, and which rule was nearest to firing."""
