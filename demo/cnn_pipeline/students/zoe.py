# %% file
<!DOCTYPE html>
<html lang="en">
<head><title>Log in to the site</title></head>
<body>
<h1>Your session has timed out</h1>
<p>Please <a href="/login/index.php">log in again</a> to download <b>cnn_pipeline.ipynb</b>.</p>
</body>
</html>
