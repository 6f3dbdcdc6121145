"""What answers the gateway's requests; `backend` is the seam that all of them fit."""
